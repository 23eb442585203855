// The script of a worker that several tabs share; lib.webworker has its scope beside that of others.

interface WorkerGlobalScopeEventMap {
  connect: MessageEvent;
}
