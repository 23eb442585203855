"""The program which works on pictures: takes from one pool's queue, hands results to the writer."""
