import { Button, Select, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import {
  IconAlertTriangle, IconCircleCheck, IconCircleX, IconDownload, IconEye, IconFileExport, IconFolder, IconHelpCircle, IconPhoto, IconPoint, IconSparkles, type Icon,
} from '@tabler/icons-react';
import type { Check as Finding, State } from '@custos/verify';
import { useMemo, useState } from 'react';
import type { Opening } from '../../api/types';
import { historyQuery, usePurposeName } from '../../app/queries';
import { Failure, Loading } from '../../parts/states';
import { fold, tell, type EventKind, type Told } from '../../words/events';
import { count, full, known, plural } from '../../words/time';
import styles from './Custody.module.css';
import { EventFields } from './EventFields';
import type { Check } from './useCheck';

const filters: { value: string; label: string; shows: (t: Told) => boolean }[] = [
  { value: 'all', label: 'All events', shows: () => true },
  { value: 'view', label: 'Viewing', shows: (t) => t.kind === 'view' },
  { value: 'list', label: 'Shown in a list', shows: (t) => t.kind === 'list' },
  { value: 'collect', label: 'Collection', shows: (t) => t.kind === 'collect' },
  { value: 'copy', label: 'Working copies', shows: (t) => t.kind === 'copy' },
  { value: 'place', label: 'Cases, owner, class', shows: (t) => t.kind === 'place' },
  { value: 'disclose', label: 'Disclosure', shows: (t) => t.kind === 'disclose' },
  { value: 'trouble', label: 'Refused or failed', shows: (t) => t.tone === 'warn' || t.tone === 'bad' },
];
const signs: Record<EventKind, Icon> = { collect: IconDownload, view: IconEye, list: IconPhoto, copy: IconSparkles, disclose: IconFileExport, place: IconFolder, other: IconPoint };
const atOnce = 100;

/** Every event of a recording, newest first, and the check of them all. */
export function Custody({ id, check }: { id: string; check: Check }) {
  const { data, error, refetch, isFetching } = useQuery(historyQuery(id));
  const [kind, setKind] = useState('all');
  const [name, setName] = useState('');
  const [shown, setShown] = useState(atOnce);
  const nameOf = usePurposeName();
  const told = useMemo(() => data?.events.map((opening) => ({ opening, told: tell(opening, nameOf) })).reverse() ?? [], [data, nameOf]);
  const entries = useMemo(() => {
    const shows = filters.find((f) => f.value === kind)?.shows ?? (() => true);
    const wanted = name.trim().toLowerCase();
    return fold(told.filter((e) => shows(e.told) && (!wanted || e.told.who.toLowerCase().includes(wanted))));
  }, [told, kind, name]);

  if (error && !data) return <Failure error={error} retry={() => void refetch()} busy={isFetching} />;
  if (!data) return <Loading what="the chain of custody" />;
  return (
    <div className={styles.custody}>
      <Proof check={check} pending={data.pending} witnessed={data.witnessed} />
      <div className={styles.filters}>
        <Select label="Show" size="xs" data={filters.map(({ value, label }) => ({ value, label }))} value={kind} allowDeselect={false} onChange={(v) => setKind(v ?? 'all')} comboboxProps={{ withinPortal: false }} />
        <TextInput label="By whom" size="xs" value={name} placeholder="Name or number" autoComplete="off" onChange={(e) => setName(e.currentTarget.value)} />
      </div>
      <p className={styles.count} role="status">{plural(told.length, 'event')}{data.pending > 0 && `, ${data.pending} on the way into the log`}</p>
      <ol className={styles.events} aria-label="Events, newest first">
        {entries.slice(0, shown).map((e) => (e.fold
          ? <Folded key={`fold${e.events[0]?.opening.leaf ?? ''}`} events={e.events} />
          : <Event key={e.opening.leaf} {...e} />))}
      </ol>
      {entries.length === 0 && <p className={styles.count}>No event is of that kind.</p>}
      {entries.length > shown && <Button variant="default" fullWidth onClick={() => setShown(shown + atOnce)}>Show {count(Math.min(atOnce, entries.length - shown))} more</Button>}
    </div>
  );
}

function Event({ opening, told }: { opening: Opening; told: Told }) {
  const Sign = told.tone === 'warn' ? IconAlertTriangle : told.tone === 'bad' ? IconCircleX : signs[told.kind];
  const [open, setOpen] = useState(false);
  return (
    <li data-tone={told.tone}>
      <Sign className={styles.sign} size={17} stroke={1.7} aria-hidden />
      <details onToggle={(e) => setOpen(e.currentTarget.open)}>
        <summary>
          <span className={styles.what}>{told.what}</span>
          <span className={styles.who}>{told.who}</span>
          <span className={styles.at}>{known(told.at) ? full(told.at) : 'time withheld'}{opening.index < 0 && ' · not in the log yet'}</span>
          {told.more && <span className={styles.more}>{told.more}</span>}
        </summary>
        {open && <EventFields opening={opening} />}
      </details>
    </li>
  );
}

/** A run of events that say little one by one. */
function Folded({ events }: { events: { opening: Opening; told: Told }[] }) {
  const [open, setOpen] = useState(false);
  const people = new Set(events.map((e) => e.told.who));
  const newest = events[0]?.told.at ?? '';
  const oldest = events.at(-1)?.told.at ?? '';
  return (
    <li className={styles.folded}>
      <IconPhoto className={styles.sign} size={17} stroke={1.7} aria-hidden />
      <details onToggle={(e) => setOpen(e.currentTarget.open)}>
        <summary>
          <span className={styles.what}>Still picture shown in lists {count(events.length)} times</span>
          <span className={styles.who}>to {people.size === 1 ? [...people][0] : plural(people.size, 'person', 'people')}</span>
          {known(newest) && known(oldest) && <span className={styles.at}>{full(oldest)} to {full(newest)}</span>}
        </summary>
        {open && <ol className={styles.events}>{events.map((e) => <Event key={e.opening.leaf} {...e} />)}</ol>}
      </details>
    </li>
  );
}

const marks: Record<State, [Icon, string]> = {
  proven: [IconCircleCheck, 'Proven'], failed: [IconCircleX, 'Failed'], not_proven: [IconHelpCircle, 'Not proven'],
};

const conclusions: Record<State, string> = {
  proven: 'Every event is proven',
  not_proven: 'All checks out, if the log’s key is the right one',
  failed: 'The custody does not check out',
};

const findings: Record<Finding['name'], string> = {
  openings: 'what events say', chain: 'order and completeness', inclusion: 'places in the log', checkpoint: 'signature of the log',
  key: 'key of the log', witness: 'witness', complete: 'completeness', masters: 'masters',
};

/** The check itself: what was looked at, and what it cannot show. */
function Proof({ check, pending, witnessed }: { check: Check; pending: number; witnessed: boolean }) {
  const { report, running, run, error } = check;
  const tally = (state: string) => report?.checks.filter((c) => c.state === state).length ?? 0;
  return (
    <section className={styles.proof} aria-label="Check of the custody">
      <div className={styles.proofHead}>
        <p>{report
          ? <strong data-state={report.state}>{conclusions[report.state]}</strong>
          : <>Checks in this browser that no event was changed, added, left out or moved, and that all stand in the signed log.</>}
        </p>
        <Button size="xs" className={styles.verify} onClick={run} loading={running}>{report || error ? 'Verify again' : 'Verify'}</Button>
      </div>
      {error && <p className={styles.fault} role="alert">The check could not be finished: {error.message}</p>}
      {report && (
        <div role="status">
          <p className={styles.count}>
            {plural(tally('proven'), 'check')} proven{tally('failed') > 0 && `, ${tally('failed')} failed`}{tally('not_proven') > 0 && `, ${tally('not_proven')} not proven`}
          </p>
          {report.state === 'failed' && <p className={styles.fault}>Do not rely on this recording. Tell whoever looks after Custos, and your disclosure officer, what stands below.</p>}
          <Checks checks={report.checks} />
          {report.state === 'not_proven' && (
            <div className={styles.key}>
              <p>The log’s key came from this server. Compare its fingerprint with the one that your force publishes:</p>
              <code className="mono">{report.fingerprint}</code>
              <Button variant="default" size="compact-sm" onClick={check.confirmKey}>It is the same: remember it here</Button>
            </div>
          )}
        </div>
      )}
      {witnessed ? (
        <p className={styles.witnessed}>
          <IconCircleCheck size={16} aria-hidden />
          <span><strong>Witnessed.</strong> This server holds the signatures of enough outside witnesses that the log still begins as it did when they last looked. This browser does not judge them: a bundle carries them, and custos-verify does.</span>
        </p>
      ) : (
        <p className={styles.unwitnessed}>
          <IconHelpCircle size={16} aria-hidden />
          <span><strong>Not witnessed.</strong> No outside body has signed this log, or not enough have yet. The check shows changes made by anybody who does not hold the log’s own key; it cannot rule out that whoever holds it wrote the whole log anew.</span>
        </p>
      )}
      {pending > 0 && <p className={styles.count}>{plural(pending, 'event')} will be in the log within a second or so; verify again then.</p>}
    </section>
  );
}

function Checks({ checks }: { checks: Finding[] }) {
  const [all, setAll] = useState(false);
  // What is wrong comes first; what is right is one line until asked for.
  const wrong = checks.filter((c) => c.state !== 'proven');
  const list = all ? [...wrong, ...checks.filter((c) => c.state === 'proven')] : wrong;
  return (
    <>
      <ul className={styles.checks}>
        {list.map((c, i) => {
          const [Mark, word] = marks[c.state];
          return (
            <li key={i} data-state={c.state}>
              <Mark size={16} aria-hidden />
              <span><strong>{word}: {findings[c.name]}</strong>{/^event/.test(c.subject) && <span className="dim"> {c.subject}</span>}<br />{c.says}</span>
            </li>
          );
        })}
      </ul>
      <Button variant="subtle" size="compact-sm" aria-expanded={all} onClick={() => setAll(!all)}>{all ? 'Hide what is proven' : `Show all ${count(checks.length)} checks`}</Button>
    </>
  );
}
