// The only file that talks to the server. Every call is same-origin, sends the
// session cookie, and fails with a Problem.
import { makePasskey, signWithPasskey } from './passkeys';
import { zone } from '../words/time';
import type {
  Candidate, CaseDetail, CaseKind, CaseList, ImportPreview, People, PersonDetail, Unit,
  ApprovalPage, ApprovalRequest, ApprovalSubjects, Emergency, EmergencyPage, MyEmergency, Waiting,
  Account, NewPasskeyQuestion, NewTOTP, PasskeyQuestion, SignInWays, StepUpWays,
  Consultation, Days, Detail, Dock, History, Me, OpenedEvent, Purpose, RecordingsPage, S62, System, TrailPage, TrailPerson,
  Class, HoldRequestsPage, PurposeRule,
} from './types';

/** What went wrong, in the server's words (RFC 9457), or in ours when no answer came. */
export class Problem extends Error {
  override readonly name = 'Problem';
  constructor(
    /** HTTP status; 0 = the server could not be reached */
    readonly status: number,
    /** the service's stable name, e.g. not_found, denied, unavailable; 'offline' = not reached */
    readonly code: string,
    /** what happened, what is safe, what to do */
    readonly detail: string,
    /** finds the failure in the server's log; may be empty */
    readonly reference = '',
  ) {
    super(detail);
  }
}

const codes: Record<number, string> = {
  400: 'invalid', 401: 'unauthenticated', 403: 'denied', 404: 'not_found', 409: 'conflict',
  422: 'invalid', 423: 'held', 429: 'too_many', 502: 'unavailable', 503: 'unavailable', 504: 'unavailable', 507: 'full',
};

async function problemOf(answer: Response): Promise<Problem> {
  const code = codes[answer.status] ?? 'internal';
  try {
    const body = (await answer.json()) as { code?: string; detail?: string; title?: string; reference?: string };
    return new Problem(answer.status, body.code ?? code, body.detail ?? body.title ?? '', body.reference ?? '');
  } catch {
    return new Problem(answer.status, code, 'The server gave an answer that this page cannot read. Nothing was changed.');
  }
}

let proveAgain: (() => Promise<boolean>) | undefined;

/**
 * Sets who asks the person to show once more that it is them; it answers
 * whether they did. Every request that the server answers with step_up waits
 * for it and is then sent again, once.
 */
export function onStepUp(ask: (() => Promise<boolean>) | undefined): void {
  proveAgain = ask;
}

async function send(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  try {
    return await sendOnce(method, path, body, signal);
  } catch (e) {
    if (!(e instanceof Problem)) throw e;
    if (e.code === 'step_up') {
      if (!(await proveAgain?.())) throw new Problem(e.status, e.code, 'You did not show that it is you. Nothing was changed.', e.reference);
      return sendOnce(method, path, body, signal);
    }
    // A request that was on its way while the session got another token was
    // refused for its old one. Whoever is signed in all the same goes on.
    if (e.status === 401 && !path.startsWith('/api/session') && (await api.me(signal))) return sendOnce(method, path, body, signal);
    throw e;
  }
}

async function sendOnce(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(path, {
      method,
      signal,
      credentials: 'same-origin',
      headers: body === undefined ? undefined : { 'Content-Type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (e) {
    if (signal?.aborted) throw e;
    throw new Problem(0, 'offline', 'Custos cannot be reached from this computer. Stored recordings are not affected.');
  }
  if (!answer.ok) throw await problemOf(answer);
  return answer;
}

async function ask<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await (await send('GET', path, undefined, signal)).json()) as T;
}

/** Makes something and tells its identifier. */
async function made(path: string, body: unknown): Promise<string> {
  return ((await (await send('POST', path, body)).json()) as { id: string }).id;
}

/** Query string of the values that are not empty, with its '?'. */
export function query(values: Record<string, string | number | undefined>): string {
  const q = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== '') q.set(name, String(value));
  }
  const text = q.toString();
  return text && '?' + text;
}

export interface RecordingsFilter {
  officer?: string;
  device?: string;
  /** first instant, included */
  from?: string;
  /** first instant no longer included */
  to?: string;
}

export interface PeopleFilter {
  text?: string;
  unit?: string;
  role?: string;
  state?: string;
}

export interface CasesFilter {
  text?: string;
  state?: string;
  kind?: string;
  /** 'true' = only those that the reader is a member of */
  mine?: string;
}

/** Which events of the trail; what is left out chooses all. */
export interface TrailFilter {
  recording?: string;
  person?: string;
  reference?: string;
  purpose?: string;
  verb?: string;
  phase?: string;
  /** first instant, included */
  from?: string;
  /** first instant no longer included */
  to?: string;
}

/** Saves an answer as a file, under the name that the server gives it. */
async function save(path: string): Promise<void> {
  const answer = await send('GET', path);
  const name = /filename="([^"]+)"/.exec(answer.headers.get('Content-Disposition') ?? '')?.[1] ?? 'custos';
  const url = URL.createObjectURL(await answer.blob());
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

export const api = {
  /** Who is signed in; null = nobody. */
  me: async (signal?: AbortSignal): Promise<Me | null> => (await ask<{ me?: Me }>('/api/session', signal)).me ?? null,
  /** How anybody can sign in here. */
  ways: (signal?: AbortSignal) => ask<SignInWays>('/api/session/ways', signal),
  async signIn(name: string, password: string, code: string): Promise<Me> {
    return (await (await send('POST', '/api/session', { name, password, ...(code && { code }) })).json()) as Me;
  },
  async signInByPasskey(): Promise<Me> {
    const q = (await (await send('POST', '/api/session/passkey/question')).json()) as PasskeyQuestion;
    return (await (await send('POST', '/api/session/passkey', await signWithPasskey(q))).json()) as Me;
  },
  /** Begins with the secret of an enrolment link, which works once. */
  async enrol(secret: string): Promise<Me> {
    return (await (await send('POST', '/api/session/enrolment', { secret })).json()) as Me;
  },
  stepUpWays: (signal?: AbortSignal) => ask<StepUpWays>('/api/session/step-up', signal),
  async stepUpByPasskey(q: PasskeyQuestion): Promise<Me> {
    return (await (await send('POST', '/api/session/step-up', { passkey: await signWithPasskey(q) })).json()) as Me;
  },
  account: (signal?: AbortSignal) => ask<Account>('/api/account', signal),
  async addPasskey(name: string): Promise<Me> {
    const q = (await (await send('POST', '/api/account/passkeys/question')).json()) as NewPasskeyQuestion;
    return (await (await send('POST', '/api/account/passkeys', { name, answer: await makePasskey(q) })).json()) as Me;
  },
  removePasskey: (id: string) => send('DELETE', `/api/account/passkeys/${id}`),
  async beginCodeApp(): Promise<NewTOTP> {
    return (await (await send('POST', '/api/account/code-app/question')).json()) as NewTOTP;
  },
  async confirmCodeApp(code: string): Promise<Me> {
    return (await (await send('POST', '/api/account/code-app', { code })).json()) as Me;
  },
  removeCodeApp: () => send('DELETE', '/api/account/code-app'),
  async newRecoveryCodes(): Promise<string[]> {
    return ((await (await send('POST', '/api/account/recovery-codes')).json()) as { codes: string[] }).codes;
  },
  async setPassword(password: string): Promise<Me> {
    return (await (await send('PUT', '/api/account/password', { password })).json()) as Me;
  },
  endSession: (id: string) => send('DELETE', `/api/account/sessions/${id}`),
  personCredentials: async (id: string, signal?: AbortSignal): Promise<{ credentials: Account['credentials']; sessions: Account['sessions'] }> => ({
    credentials: await ask<Account['credentials']>(`/api/people/${id}/credentials`, signal),
    sessions: (await ask<{ sessions: Account['sessions'] }>(`/api/people/${id}/sessions`, signal)).sessions,
  }),
  endSessionsOf: (person: string) => send('DELETE', `/api/people/${person}/sessions`),
  revokeCredential: (person: string, credential: string) => send('DELETE', `/api/people/${person}/credentials/${credential}`),
  async enrolmentLink(person: string): Promise<string> {
    return ((await (await send('POST', `/api/people/${person}/enrolment-link`)).json()) as { link: string }).link;
  },
  /** Shows once more who is signed in, for what asks for it. */
  async stepUp(password: string, code: string): Promise<Me> {
    return (await (await send('POST', '/api/session/step-up', { password, ...(code && { code }) })).json()) as Me;
  },
  signOut: async (): Promise<void> => {
    await send('DELETE', '/api/session');
  },
  recordings: (filter: RecordingsFilter, cursor: string, signal?: AbortSignal) =>
    ask<RecordingsPage>('/api/recordings' + query({ ...filter, cursor, limit: 60 }), signal),
  days: (signal?: AbortSignal) => ask<Days>('/api/recordings/days' + query({ zone }), signal),
  recording: (id: string, signal?: AbortSignal) => ask<Detail>(`/api/recordings/${id}`, signal),
  history: (id: string, signal?: AbortSignal) => ask<History>(`/api/recordings/${id}/history`, signal),

  purposes: async (signal?: AbortSignal): Promise<PurposeRule[]> => (await ask<{ purposes: PurposeRule[] | null }>('/api/purposes', signal)).purposes ?? [],
  /** Open hold requests, newest first; before is `next` of the page before, '' = from the newest. */
  holdRequests: (before: string, signal?: AbortSignal) => ask<HoldRequestsPage>('/api/hold-requests' + query({ before }), signal),
  async restrict(recording: string, to: { class: Class; reason: string; list: { person: string; until?: string }[] }): Promise<void> {
    await send('POST', `/api/recordings/${recording}/restriction`, to);
  },
  /** person is a sign-in name or a collar number, '' = nobody's. */
  async assign(recording: string, to: { person: string; reason: string }): Promise<void> {
    await send('POST', `/api/recordings/${recording}/owner`, to);
  },
  /** Puts a recording into a case or incident, or takes it out. */
  async combine(recording: string, to: { number: string; in: boolean; note: string }): Promise<void> {
    await send('POST', `/api/recordings/${recording}/cases`, to);
  },

  async consult(recording: string, purpose: Purpose): Promise<Consultation> {
    return (await (await send('POST', `/api/recordings/${recording}/consultations`, { purpose })).json()) as Consultation;
  },
  consultation: (id: string, signal?: AbortSignal) => ask<Consultation>(`/api/consultations/${id}`, signal),
  async makeProxy(consultation: string, segment: number): Promise<void> {
    await send('POST', `/api/consultations/${consultation}/proxies/${segment}`);
  },
  /**
   * Ends a consultation and tells how long the person watched. It uses a
   * beacon, which the browser delivers even when the page is being closed; a
   * consultation whose beacon is lost ends by itself when it expires.
   */
  endConsultation(id: string, watchedMs: number): void {
    navigator.sendBeacon(
      `/api/consultations/${id}/end`,
      new Blob([JSON.stringify({ watchedMs: Math.round(watchedMs) })], { type: 'application/json' }),
    );
  },
  async peaks(url: string, signal?: AbortSignal): Promise<Uint8Array> {
    return new Uint8Array(await (await send('GET', url, undefined, signal)).arrayBuffer());
  },

  people: (filter: PeopleFilter, after: string, signal?: AbortSignal) => ask<People>('/api/people' + query({ ...filter, after }), signal),
  person: (id: string, signal?: AbortSignal) => ask<PersonDetail>(`/api/people/${id}`, signal),
  addPerson: (p: { login: string; name: string; number: string; role: string; unit: string; lead: boolean }) => made('/api/people', p),
  describePerson: (id: string, change: { name?: string; number?: string; from?: string }) => send('PUT', `/api/people/${id}`, change),
  post: (id: string, posting: { unit: string; lead: boolean; from?: string }) => send('POST', `/api/people/${id}/postings`, posting),
  endPosting: (id: string, until?: string) => send('POST', `/api/postings/${id}/end`, { until }),
  issueCamera: (id: string, issue: { camera: string; from?: string; until?: string }) => send('POST', `/api/people/${id}/cameras`, issue),
  returnCamera: (id: string) => send('POST', `/api/cameras/${id}/return`, {}),
  previewImport: async (file: string): Promise<ImportPreview> => (await (await send('POST', '/api/people-preview', { file })).json()) as ImportPreview,
  importPeople: async (file: string, digest: string): Promise<ImportPreview> => (await (await send('POST', '/api/people-import', { file, digest })).json()) as ImportPreview,
  units: (signal?: AbortSignal) => ask<{ units: Unit[] }>('/api/units', signal),
  addUnit: (unit: { name: string; code: string; parent?: string }) => made('/api/units', unit),
  changeUnit: (id: string, change: { name?: string; parent?: string }) => send('PUT', `/api/units/${id}`, change),
  closeUnit: (id: string) => send('POST', `/api/units/${id}/close`),
  cases: (filter: CasesFilter, before: string, signal?: AbortSignal) => ask<CaseList>('/api/cases' + query({ ...filter, before }), signal),
  case: (id: string, signal?: AbortSignal) => ask<CaseDetail>(`/api/cases/${id}`, signal),
  addCase: (c: { number: string; kind: CaseKind; title: string }) => made('/api/cases', c),
  closeCase: (id: string) => send('POST', `/api/cases/${id}/close`),
  addMember: (id: string, member: { person: string; role: string }) => send('POST', `/api/cases/${id}/members`, member),
  endMember: (id: string, member: string) => send('POST', `/api/cases/${id}/members/${member}/end`),
  candidates: async (text: string, signal?: AbortSignal): Promise<Candidate[]> =>
    (await ask<{ people: Candidate[] | null }>('/api/case-candidates' + query({ text }), signal)).people ?? [],

  trail: (filter: TrailFilter, cursor: string, signal?: AbortSignal) => ask<TrailPage>('/api/trail' + query({ ...filter, cursor }), signal),
  trailEvent: (id: string, signal?: AbortSignal) => ask<OpenedEvent>(`/api/trail/${id}`, signal),
  trailPeople: async (word: string, signal?: AbortSignal) => (await ask<{ people: TrailPerson[] }>('/api/trail-people' + query({ word }), signal)).people,
  saveTrail: (form: string, filter: TrailFilter) => save(`/api/trail.${form}` + query({ ...filter })),
  s62: ({ from, to }: TrailFilter, signal?: AbortSignal) => ask<S62>('/api/reports/s62' + query({ from, to }), signal),
  saveS62: (form: string, { from, to }: TrailFilter) => save(`/api/reports/s62.${form}` + query({ from, to })),

  docks: (signal?: AbortSignal) => ask<{ docks: Dock[] | null }>('/api/docks', signal),
  system: (signal?: AbortSignal) => ask<System>('/api/system', signal),

  /** What waits for this person to decide or review, and what they may do with requests. */
  waiting: (signal?: AbortSignal) => ask<Waiting>('/api/approvals/waiting', signal),
  approvals: (show: string, cursor: string, signal?: AbortSignal) => ask<ApprovalPage>('/api/approvals' + query({ show, cursor }), signal),
  approvalSubjects: (kind: string, by: { id?: string; text?: string }, signal?: AbortSignal) =>
    ask<ApprovalSubjects>('/api/approvals/subjects' + query({ kind, ...by }), signal),
  async askApproval(what: { kind: string; subject: string; role?: string; reason: string }): Promise<ApprovalRequest> {
    return (await (await send('POST', '/api/approvals', what)).json()) as ApprovalRequest;
  },
  async decideApproval(id: string, what: 'approve' | 'refuse' | 'withdraw', reason?: string): Promise<ApprovalRequest> {
    return (await (await send('POST', `/api/approvals/${id}/${what}`, reason === undefined ? undefined : { reason })).json()) as ApprovalRequest;
  },
  emergencies: (waiting: boolean, cursor: string, signal?: AbortSignal) =>
    ask<EmergencyPage>('/api/break-glass' + query({ waiting: waiting ? 'true' : '', cursor }), signal),
  myEmergency: (signal?: AbortSignal) => ask<MyEmergency>('/api/break-glass/mine', signal),
  async breakGlass(reason: string, reference: string): Promise<Emergency> {
    return (await (await send('POST', '/api/break-glass', { reason, reference })).json()) as Emergency;
  },
  async endEmergency(id: string): Promise<Emergency> {
    return (await (await send('POST', `/api/break-glass/${id}/end`)).json()) as Emergency;
  },
  async reviewEmergency(id: string, outcome: 'justified' | 'not_justified', note: string): Promise<Emergency> {
    return (await (await send('POST', `/api/break-glass/${id}/review`, { outcome, note })).json()) as Emergency;
  },
  /** The stream of what changes; the caller closes it. */
  events: () => new EventSource('/api/events'),
};
