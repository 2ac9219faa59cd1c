// What is told and known of a run that is saved at a remote. Shapes only; what follows from them is save.ts.

/** Where a run is saved, for another clone to go on with. */
export interface SaveTarget {
  /** The remote by its name or address, as the user's git configuration has it. */
  readonly remote: string;
}

/** Why a run could not be saved: the remote, or a hook, refused; it cannot be reached; another session has gone on from what was saved; the step was cut. */
export type SaveTrouble = 'refused' | 'unreachable' | 'taken' | 'cut';

/** What is known of the saved run at the remote. */
export interface SaveState {
  /** Progress was recorded that the last save does not have. */
  due: boolean;
  /** Something was recorded since, whatever it is. */
  rest: boolean;
  /** The step in flight: what it may bring there. */
  step?: { readonly landed: string | undefined; readonly last: boolean };
  /** This session has shown that the saved run is its own, or that nobody can tell. */
  claimed: boolean;
  /** The last save, and the number of the last event in it. */
  commit?: string;
  upTo: number;
  /** The landing that is in it. */
  landed?: string;
  /** Why the last try came to nothing. */
  trouble?: string;
  /** Tries in a row that came to nothing. */
  failures: number;
  /** The last try of this session came to nothing. */
  stopped: boolean;
  /** Another session has gone on from what was saved: this one ends. */
  taken?: string;
}

/** Before the first save. */
export function newSave(): SaveState {
  return { due: true, rest: true, claimed: false, upTo: 0, failures: 0, stopped: false };
}
