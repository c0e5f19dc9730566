// The answers of the server. Their shapes are generated from the service's own
// OpenAPI document (schema.d.ts, by `npm run types`); here they get the names
// that the pages use, and what that document does not say: which words a state
// can be, which parts may be null, which lists never are. Times are RFC 3339
// in UTC, lengths of time whole milliseconds, sizes bytes.
import type { components } from './schema';

type Schemas = components['schemas'];
/** T with some of its parts said more exactly. */
type With<T, Parts extends Partial<Record<keyof T, unknown>>> = Omit<T, keyof Parts> & Parts;

/** How far a master has come on its way to the screen; see evidence.MediaState. */
export type MediaState = 'pending' | 'playable' | 'proxy' | 'audio' | 'none';
export type WorkState = 'waiting' | 'running' | 'failed' | 'done';
export type CameraState = 'reading' | 'uploading' | 'waiting' | 'ready' | 'problem' | 'gone';

/** Who is signed in, and what they may do: the pages show exactly that. */
export type Me = Schemas['Me'];

export type SignInWays = Schemas['SignInWays'];
export type StepUpWays = Schemas['StepUpWays'];
export type PasskeyQuestion = Schemas['PasskeyQuestion'];
export type PasskeyAnswer = Schemas['PasskeyAnswer'];
export type NewPasskeyQuestion = Schemas['NewPasskeyQuestion'];
export type NewPasskeyAnswer = Schemas['NewPasskeyAnswer'];
export type NewTOTP = Schemas['NewTOTP'];
export type Passkey = Schemas['Passkey'];
export type SessionView = Schemas['SessionView'];
export type Credentials = With<Schemas['CredentialsView'], { passkeys: Passkey[] }>;
export type Account = With<Schemas['Account'], { sessions: SessionView[]; credentials: Credentials }>;

export type Card = With<Schemas['Card'], { state: MediaState }>;
export type RecordingsPage = With<Schemas['CardPage'], { items: Card[] }>;
export type Days = With<Schemas['DayCounts'], { days: Schemas['Day'][] }>;

export type Clock = Schemas['Clock'];
export type Media = With<Schemas['Media'], { state: MediaState }>;
export type Segment = With<Schemas['Segment'], { media: Media }>;
export type Arrival = Schemas['Arrival'];
/** A hole between two segments, or an overlap where lengthMs is negative. */
export type Gap = Schemas['Gap'];
export type WorkingCopy = Schemas['WorkingCopy'];
export type RecordingWork = With<Schemas['WorkOn'], { state: WorkState }>;

/** An account by its name as it is now. */
export type Named = Schemas['Named'];
export type InCase = Schemas['InCase'];
/** A place on an access list; until absent = until it is taken off. */
export type Listed = Schemas['Listed'];
export type Class = Schemas['Kept']['class'];
export type HoldRequest = Schemas['HoldRequest'];
export type HoldRequestsPage = With<Schemas['HoldRequestList'], { items: HoldRequest[] }>;
/** Whose a recording is and how closely it is kept, as far as this person may know. */
export type Kept = With<Schemas['Kept'], { cases: InCase[]; listed: Listed[]; holdRequests: HoldRequest[] }>;

export type Detail = With<Schemas['Detail'], {
  state: MediaState;
  kept: Kept;
  segments: Segment[];
  work: RecordingWork[] | null;
  /** null: nobody, or not for this person to know */
  lastViewed: Schemas['Viewed'] | null;
}>;

/** A reason that the force lets people give, and what must go with it. */
export type PurposeRule = Schemas['Purpose'];

/** Why somebody watches; code '' = the purpose that still holds, or own footage. */
export interface Purpose {
  code: string;
  reference: string;
  note: string;
}

export type TrickplaySheet = Schemas['Trickplay'];
export type PlayableSegment = With<Schemas['ViewSegment'], { state: MediaState; trickplay: TrickplaySheet | null; waveform: Schemas['Waveform'] | null }>;
export type Consultation = With<Schemas['View'], { segments: PlayableSegment[] }>;

/** A field that is shown has value and salt, a withheld one mac. */
export type OpenedField = Schemas['OpenField'];
/** index: place in the log; -1 = not in the log yet */
export type Opening = With<Schemas['Opening'], { fields: OpenedField[] }>;
export type History = With<Schemas['History'], { events: Opening[] }>;

export type TrailPerson = Schemas['TrailPerson'];
export type TrailEvent = With<Schemas['TrailEvent'], { fields: Schemas['Field'][] }>;
export type TrailPage = With<Schemas['TrailPage'], { events: TrailEvent[] }>;
export type OpenedEvent = With<Schemas['OpenedEvent'], { fields: Schemas['Field'][]; opening: Opening; proof: string[] }>;
export type S62 = With<Schemas['S62'], { operations: Schemas['Operation'][] }>;

export type FileStatus = Schemas['FileStatus'];
export type CameraStatus = With<Schemas['CameraStatus'], { state: CameraState }>;
export type DockStatus = With<Schemas['DockStatus'], { cameras: CameraStatus[] | null }>;
export type Dock = With<Schemas['DockView'], { cameras: CameraStatus[] | null }>;

export type Person = Schemas['PersonView'];
export type Holding = Schemas['Holding'];
export type Posting = Schemas['PostingView'];
export type PersonDetail = Schemas['PersonDetail'];
export type People = With<Schemas['PeopleList'], { people: Person[]; roles: Schemas['RoleOption'][] }>;
export type Unit = With<Schemas['UnitView'], { leads: string[] }>;
export type Verdict = 'new' | 'changed' | 'unchanged' | 'refused';
/** What becomes of one line of a staff file. */
export type ImportLine = With<Schemas['Line'], { verdict: Verdict; changes: Schemas['Change'][]; remarks: Schemas['Remark'][] }>;
export type ImportPreview = With<Schemas['Preview'], { lines: ImportLine[]; absent: Schemas['Absent'][]; counts: Record<Verdict, number>; digest: string }>;

export type CaseKind = 'case' | 'incident';
export type Case = With<Schemas['CaseView'], { kind: CaseKind }>;
export type Member = Schemas['MemberView'];
export type CaseDetail = With<Schemas['CaseDetail'], { kind: CaseKind; members: Member[] }>;
export type CaseList = With<Schemas['CaseList'], { cases: Case[] }>;
export type Candidate = Schemas['Candidate'];

export type Store = Schemas['Store'];
export type Job = With<Schemas['Work'], { state: WorkState }>;
/** What outsiders vouch for: witnesses of the log, timestamp authorities. */
export type Outside = With<Schemas['Outside'], { witnesses: Schemas['WitnessStatus'][]; authorities: Schemas['AuthorityStatus'][] }>;
export type System = With<Schemas['System'], { witness: Outside; work: With<Schemas['WorkState'], { recent: Job[] | null }> }>;

/** Whether somebody may do something, and if not, why. */
export type Ability = Schemas['Ability'];
export type RequestState = Schemas['RequestView']['state'];
/** An act that one person asked for and another must approve. */
export type ApprovalRequest = Schemas['RequestView'];
export type ApprovalPage = With<Schemas['RequestPage'], { items: ApprovalRequest[] }>;
export type Waiting = With<Schemas['Waiting'], { ask: Schemas['AskKind'][]; roles: Schemas['RoleName'][] }>;
export type ApprovalSubject = Schemas['Subject'];
export type ApprovalSubjects = With<Schemas['Subjects'], { items: ApprovalSubject[] }>;
/** One time that somebody took emergency access. */
export type Emergency = Schemas['EmergencyView'];
export type EmergencyPage = With<Schemas['EmergencyPage'], { items: Emergency[] }>;
export type MyEmergency = Schemas['MyEmergency'];
