// What the service tells the page's scripts, as the API's description (`api/web/openapi/`) has it, and what they make of it.

interface Totals {
  offered: number;
  accepted: number;
  rejected: number;
  stored: number;
  duplicates: number;
  damaged: number;
  failed: number;
  failed_open: number;
  in_flight: number;
}

/** How many alerts nobody has acknowledged. */
interface UnseenAlerts {
  new: number;
}

interface Outcome {
  id: string;
  batch: string | null;
  status: "stored" | "failed";
  duplicate: boolean;
  reason?: string | null;
  warnings?: string[];
}

/** What happened: `domain/activity.py`. */
interface Activity {
  at: string;
  kind: string;
  by?: string;
  batch?: string | null;
  image?: string;
  name?: string;
  number?: number;
  camera?: string;
  channel?: string;
  database?: string;
  recipe?: string;
  code?: string;
  result?: string;
  state?: string;
  problem?: string;
  attempt?: number;
  times?: number;
  frames?: number;
  missed?: number;
}

/** What a line of the log has to have, by name; empty is anything. */
type LogFilter = Record<string, string>;

type Pulse = "connecting" | "live" | "away" | "busy";

/** What a stream tells, with its data. `lost` means: read the current state again. */
interface Told {
  totals: Totals;
  alerts: UnseenAlerts;
  outcome: Outcome;
  activity: Activity;
  lost: object;
  busy: object;
  pulse: Pulse;
  refused: object;
}

type Tell = <K extends keyof Told>(kind: K, data: Told[K]) => void;
type Message = { [K in keyof Told]: { kind: K; data: Told[K] } }[keyof Told];

interface Moment {
  at: number;
  backlog: number | null;
  waiting?: number | null;
  replicas: number;
  ready: number;
  objective_backlog?: number | null;
  broken?: boolean;
  arrival_rate?: number | null;
  done_rate?: number | null;
}

interface PoolWorker {
  name: string;
  works_on: { id: string; name: string | null; since: string }[];
  heard_at: string;
}

/** A pool that is left alone tells no numbers. */
interface Pool {
  name: string;
  reason: string;
  terms?: { name: string; text: string }[];
  at?: number;
  history?: Moment[];
  workers?: PoolWorker[];
  backlog?: { ready: number | null; unacked: number | null };
  min_replicas?: number;
  max_replicas?: number;
  desired_replicas?: number;
  current_replicas?: number;
  ready_replicas?: number;
  arrival_rate?: number | null;
  service_rate?: number | null;
  busy_seconds?: number | null;
  objective?: { max_wait_seconds?: number; backlog_per_replica?: number };
}

interface CameraStatus {
  state: string;
  problem: string | null;
  counts?: { frames?: number; missed?: number } | null;
}

interface Camera {
  id: string;
  status: CameraStatus;
}

/** Right and down, from 0 to 1. */
type Corner = number[];

interface Area {
  kind: string;
  name: string;
  corners: Corner[];
}

interface Image {
  id: string;
  status: "accepted" | "stored" | "failed";
  name: string;
  recipe: string;
  duplicate: boolean;
  reason?: string | null;
  warnings?: string[];
  retry_of: string | null;
  original: { bytes: number; sha256: string };
}

/** What a recipe made of a picture when it was tried. */
interface TrialFacts {
  content_type: string;
  width: number;
  height: number;
  bytes: number;
  seconds: number;
  warnings: string[];
  is_preview: boolean;
}

/** A picture refused at the door, as the ledger has it. */
interface Rejection {
  name: string;
  code: string;
  detail: string;
}

interface Accepted {
  index: number;
  recipe: string;
  id: string;
  duplicate: boolean;
}

interface Rejected {
  index: number;
  code: string;
  detail: string;
}
