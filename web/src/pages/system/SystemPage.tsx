import { Progress } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { IconAlertTriangle, IconCircleCheck, IconCircleX, IconClock, IconEye, IconHelpCircle, IconPlayerPlay } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import type { Job, Outside, Store, System, WorkState } from '../../api/types';
import { useLive } from '../../app/live';
import { systemQuery, useMe } from '../../app/queries';
import { Badge, type Tone } from '../../parts/badges';
import { Copy } from '../../parts/Copy';
import { Facts } from '../../parts/Facts';
import { Failure, Loading } from '../../parts/states';
import { useTitle } from '../../parts/title';
import { ago, bytes, count, full, known, plural } from '../../words/time';
import styles from './SystemPage.module.css';
import { ok, warnings } from './warnings';

/** The health of the service, in words. */
export function SystemPage() {
  useTitle('System');
  const client = useQueryClient();
  const { data, error, refetch, isFetching } = useQuery(systemQuery);
  useLive('checkpoint', ({ size, at }) => {
    client.setQueryData(systemQuery.queryKey, (old) => old && { ...old, ledger: { ...old.ledger, checkpointSize: size, checkpointAt: at, size: Math.max(size, old.ledger.size), events: Math.max(size, old.ledger.events) } });
  });
  if (error && !data) return <Failure error={error} retry={() => void refetch()} busy={isFetching} page />;
  if (!data) return <Loading page what="the state of the system" />;
  const found = warnings(data, new Date());
  return (
    <>
      <div className={styles.head}>
        <h1>System</h1>
        <p className="dim">Custos {data.version}, running since {full(data.startedAt)}</p>
      </div>
      <section className={styles.warnings} aria-label="What needs attention">
        {found.length === 0
          ? <p className={styles.good}><IconCircleCheck size={20} aria-hidden /> Nothing needs attention.</p>
          : <ul>{found.map((w) => (
            <li key={w.says} data-tone={w.tone}>
              {w.tone === 'bad' ? <IconCircleX size={18} aria-hidden /> : <IconAlertTriangle size={18} aria-hidden />}
              <span><strong>{w.tone === 'bad' ? 'Act now: ' : 'Look at: '}</strong>{w.says}</span>
            </li>
          ))}</ul>}
      </section>
      <div className={styles.panels}>
        <Panel title="Stores">{(data.stores ?? []).map((s) => <StoreFacts key={s.name} store={s} />)}</Panel>
        <Panel title="Ledger"><Ledger ledger={data.ledger} watched={data.witness.witnesses.length > 0} /></Panel>
        <Panel title="Witnesses and time"><OutsideFacts outside={data.witness} /></Panel>
        <Panel title="Database and uploads">
          <Facts rows={[
            ['Database', data.database.engine],
            ['Size', bytes(data.database.bytes)],
            ['Open uploads', data.uploads.open === 0 ? 'none' : `${plural(data.uploads.open, 'file')}, ${bytes(data.uploads.bytes)} so far`],
          ]} />
        </Panel>
      </div>
      <Panel title="Work" wide><Work work={data.work} /></Panel>
    </>
  );
}

function Panel({ title, children, wide }: { title: string; children: ReactNode; wide?: boolean }) {
  return <section className={styles.panel} data-wide={wide}><h2>{title}</h2>{children}</section>;
}

const words: Record<string, string> = { full: 'Full', stopped: 'Stopped' };

function StoreFacts({ store: s }: { store: Store }) {
  const used = s.bytesTotal - s.bytesFree;
  const share = s.bytesTotal > 0 ? (100 * used) / s.bytesTotal : 0;
  return (
    <div className={styles.store}>
      <div className={styles.line}>
        <h3>{s.name}</h3>
        {s.state === ok ? <Badge tone="good" icon={IconCircleCheck}>Working</Badge> : <Badge tone="bad" icon={IconCircleX}>{words[s.state] ?? s.state}</Badge>}
      </div>
      {s.bytesTotal > 0 && (
        <>
          <Progress value={share} size={8} color={share > 95 ? 'red' : 'accent'} aria-label={`${s.name}: disk used`} className={styles.bar} />
          <p className={styles.under}><span>{bytes(s.bytesFree)} free of {bytes(s.bytesTotal)}</span><span>{Math.round(share)}% used</span></p>
        </>
      )}
      <Facts rows={[
        ['Kind', s.engine],
        ['Place', s.place],
        ['Holds', `${plural(s.objects, 'object')}, ${bytes(s.bytes)}`],
        ['Word', s.message],
      ]} />
    </div>
  );
}

function Ledger({ ledger: l, watched }: { ledger: System['ledger']; watched: boolean }) {
  const { can } = useMe();
  const behind = l.events - l.checkpointSize;
  return (
    <>
      <div className={styles.line}>
        {l.state === ok ? <Badge tone="good" icon={IconCircleCheck}>Signing</Badge> : <Badge tone="bad" icon={IconCircleX}>{words[l.state] ?? l.state}</Badge>}
        {l.witnessed ? <Badge tone="good" icon={IconEye}>Witnessed</Badge> : <Badge tone={watched ? 'bad' : 'warn'} icon={IconHelpCircle}>Not witnessed</Badge>}
      </div>
      <Facts rows={[
        ['Events', count(l.events)],
        ['Last checkpoint', known(l.checkpointAt) ? <span key="c">{count(l.checkpointSize)} events, {ago(l.checkpointAt)}<span className={styles.small}>{full(l.checkpointAt)}</span></span> : 'none yet'],
        ['Not signed yet', behind > 0 ? count(behind) : 'none'],
        ['Origin', l.origin],
        ['Log key', <span key="k" className={styles.key}><span className="mono">{l.logKey}</span><Copy value={l.logKey} what="the log’s key" /></span>],
        ['Published log', can.log && <a key="l" href="/log/checkpoint">Latest checkpoint</a>],
        ['Word', l.message],
      ]} />
    </>
  );
}

/** Who outside vouches for the log, and what they have signed. */
function OutsideFacts({ outside: o }: { outside: Outside }) {
  return (
    <>
      {o.witnesses.length === 0 && <p className="dim">No witness is configured. An outside body that signs the log makes it proof against this force itself.</p>}
      {o.witnesses.map((w) => (
        <div key={w.name} className={styles.store}>
          <div className={styles.line}>
            <h3>{w.name}</h3>
            {w.trouble
              ? <Badge tone="bad" icon={IconCircleX}>Not signing</Badge>
              : known(w.at) ? <Badge tone="good" icon={IconCircleCheck}>Signing</Badge> : <Badge tone="plain" icon={IconClock}>Not asked yet</Badge>}
          </div>
          <Facts rows={[
            ['Kind', `Witness, ${w.algorithm}`],
            ['Key name', <span key="k" className="mono">{w.keyName}</span>],
            ['Signed last', known(w.at) ? <span key="s">{count(w.size)} events, {ago(w.at)}<span className={styles.small}>{full(w.at)}</span></span> : 'nothing yet'],
            ['Behind since', known(w.since) && full(w.since)],
            ['Word', w.trouble],
          ]} />
        </div>
      ))}
      {o.authorities.map((a) => (
        <div key={a.name} className={styles.store}>
          <div className={styles.line}>
            <h3>{a.name}</h3>
            {a.trouble
              ? <Badge tone="bad" icon={IconCircleX}>Not stamping</Badge>
              : known(a.at) ? <Badge tone="good" icon={IconCircleCheck}>Stamping</Badge> : <Badge tone="plain" icon={IconClock}>Nothing stamped yet</Badge>}
          </div>
          <Facts rows={[
            ['Kind', 'Timestamp authority'],
            ['Stamped last', known(a.at) ? <span key="s">{count(a.size)} events, {ago(a.at)}<span className={styles.small}>{full(a.at)}</span></span> : 'nothing yet'],
            ['Word', a.trouble],
          ]} />
        </div>
      ))}
    </>
  );
}

const jobStates: Record<WorkState, [Tone, typeof IconClock, string]> = {
  waiting: ['plain', IconClock, 'Waiting'], running: ['accent', IconPlayerPlay, 'Running'], failed: ['bad', IconCircleX, 'Failed'], done: ['good', IconCircleCheck, 'Done'],
};
const kinds: Record<string, string> = { prepare: 'Preparation', proxy: 'Viewing copy' };

function Work({ work }: { work: System['work'] }) {
  const recent = work.recent ?? [];
  return (
    <>
      <dl className={styles.tally}>
        {([['Waiting', work.waiting], ['Running', work.running], ['Failed', work.failed], ['Done', work.done]] as const).map(([name, n]) => (
          <div key={name} data-bad={(name === 'Failed' && n > 0) || undefined}><dt>{name}</dt><dd>{count(n)}</dd></div>
        ))}
      </dl>
      {recent.length > 0 && (
        <div className={styles.scroll} tabIndex={0} role="region" aria-label="Recent work">
          <table>
            <thead><tr><th scope="col">What</th><th scope="col">State</th><th scope="col">Recording</th><th scope="col">Tries</th><th scope="col">When</th><th scope="col">Word</th></tr></thead>
            <tbody>{recent.map((j) => <Row key={j.id} job={j} />)}</tbody>
          </table>
        </div>
      )}
    </>
  );
}

function Row({ job: j }: { job: Job }) {
  const { can } = useMe();
  const [tone, icon, words] = jobStates[j.state];
  return (
    <tr>
      <td>{kinds[j.kind] ?? j.kind}</td>
      <td><Badge tone={tone} icon={icon}>{words}</Badge></td>
      <td className="mono">{j.recording && (can.recordings ? <Link to={`/recordings/${j.recording}`}>{j.recording}</Link> : j.recording)}</td>
      <td>{j.tries}</td>
      <td>{known(j.at) && ago(j.at)}</td>
      <td>{j.message}</td>
    </tr>
  );
}
