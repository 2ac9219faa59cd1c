// The library: what programs other than the command line may use. Nothing else is promised.

export { Orchestrator } from './opening/session.ts';
export type { Dependencies, Ended, OrchestratorConfig } from './opening/session.ts';
export { Refusal } from './opening/refusal.ts';
export type { Diagnostic } from './discovery/diagnostic.ts';
export type { Event, EventBody, EventOf, EventType, Result } from './core/event.ts';
export type { Failure, FailureKind, Severity } from './core/failure.ts';
export type { Request } from './core/request.ts';
export type { State } from './core/state.ts';
export type { Observer } from './orchestrator.ts';
export type { Escalation } from './core/told.ts';
export type { Clock, Delivery, Escalator, Seen } from './world.ts';
