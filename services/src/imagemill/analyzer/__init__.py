"""The program which looks at frames: one SourceAnalyzer per source, its state kept so that a kill does no harm."""
