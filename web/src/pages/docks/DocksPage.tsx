import { Progress } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import {
  IconAlertTriangle, IconCircleCheck, IconClockPause, IconDeviceUsb, IconFileSearch, IconPlugConnectedX, IconPlugX, IconUpload, IconWifi, type Icon,
} from '@tabler/icons-react';
import type { CameraState, CameraStatus, Dock, FileStatus } from '../../api/types';
import { Link } from 'react-router';
import { useLive } from '../../app/live';
import { docksQuery } from '../../app/queries';
import { useWaiting } from '../../app/waiting';
import { Badge, type Tone } from '../../parts/badges';
import { Failure, Loading, Notice } from '../../parts/states';
import { useTitle } from '../../parts/title';
import { ago, bytes, full, known, lengthInWords, plural } from '../../words/time';
import styles from './DocksPage.module.css';

const states: Record<CameraState, [Tone, Icon, string]> = {
  reading: ['accent', IconFileSearch, 'Being read'],
  uploading: ['accent', IconUpload, 'Uploading'],
  waiting: ['warn', IconClockPause, 'Waiting'],
  ready: ['good', IconCircleCheck, 'Ready to take'],
  problem: ['bad', IconAlertTriangle, 'Needs a look'],
  gone: ['plain', IconPlugX, 'Taken out'],
};
const fileStates: Record<string, string> = {
  hashing: 'being read', uploading: 'uploading', receipt: 'waiting for the receipt', wiping: 'being wiped', waiting: 'waiting', problem: 'problem',
};

const troubled = (d: Dock) => (d.cameras ?? []).some((c) => c.state === 'problem') || !!d.message;

/** Docking stations and what is in them, as it happens. */
export function DocksPage() {
  useTitle('Docks');
  const client = useQueryClient();
  const { data, error, refetch, isFetching } = useQuery({ ...docksQuery, refetchInterval: 30_000 });
  useLive('docks', (s) => {
    if (data && !data.some((d) => d.id === s.dock)) void client.invalidateQueries({ queryKey: docksQuery.queryKey });
  });
  if (error && !data) return <Failure error={error} retry={() => void refetch()} busy={isFetching} page />;
  if (!data) return <Loading page what="the docks" />;

  // What needs a person comes first, then what is away, then by name; a dock does not jump while it works.
  const rank = (d: Dock) => (troubled(d) ? 0 : d.online ? 2 : 1);
  const docks = [...data].sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name, 'en-GB', { numeric: true }));
  const cameras = data.filter((d) => d.online).flatMap((d) => d.cameras ?? []).filter((c) => c.state !== 'gone');
  const tell = (n: number, words: string) => n > 0 && `${n} ${words}`;
  const summary = [
    plural(cameras.length, 'camera') + ' docked',
    tell(cameras.filter((c) => c.state === 'uploading').length, 'uploading'),
    tell(cameras.filter((c) => c.state === 'ready').length, 'ready to take'),
    tell(cameras.filter((c) => c.state === 'problem').length, 'to be looked at'),
    tell(data.filter((d) => !d.online).length, data.filter((d) => !d.online).length === 1 ? 'dock away' : 'docks away'),
  ].filter(Boolean).join(' · ');

  return (
    <>
      <div className={styles.head}>
        <h1>Docks</h1>
        {data.length > 0 && <p className="dim">{summary}</p>}
      </div>
      {docks.length === 0 ? (
        <Notice icon={IconDeviceUsb} title="No dock is enrolled yet">
          A dock appears here as soon as it has been enrolled and has called in for the first time.
        </Notice>
      ) : (
        <ul className={styles.docks}>{docks.map((d) => <li key={d.id}><DockCard dock={d} /></li>)}</ul>
      )}
    </>
  );
}

function DockCard({ dock }: { dock: Dock }) {
  const cameras = dock.cameras ?? [];
  const mayRevoke = useWaiting()?.ask.some((a) => a.kind === 'dock.revoke');
  return (
    <article className={styles.dock} data-away={!dock.online || undefined} aria-label={`Dock ${dock.name}`}>
      <header>
        <h2>{dock.name}</h2>
        {dock.online
          ? <Badge tone="good" icon={IconWifi}>Connected</Badge>
          : <Badge tone="warn" icon={IconPlugConnectedX}>Away</Badge>}
      </header>
      <p className={styles.meta} title={known(dock.enrolledAt) ? `Enrolled ${full(dock.enrolledAt)}` : undefined}>
        {known(dock.lastSeen) ? `Heard ${ago(dock.lastSeen)}` : 'Never heard of yet'}{dock.version && ` · version ${dock.version}`}
      </p>
      {!dock.online && known(dock.lastSeen) && <p className={styles.message} data-tone="warn"><IconAlertTriangle size={15} aria-hidden /><span>No word from this dock. Footage stays on its cameras and comes in when it is back. Check its power and network.</span></p>}
      {dock.message && <p className={styles.message} data-tone="bad"><IconAlertTriangle size={15} aria-hidden /><span>{dock.message}</span></p>}
      {cameras.length === 0 && dock.online && <p className={styles.none}>No camera is docked.</p>}
      {cameras.length > 0 && <ul>{cameras.map((c) => <li key={c.device}><Camera camera={c} stale={!dock.online} /></li>)}</ul>}
      {mayRevoke && <p className={styles.revoke}><Link to={`/approvals?show=mine&kind=dock.revoke&subject=${dock.id}`}>Ask to revoke its key …</Link></p>}
    </article>
  );
}

function Camera({ camera: c, stale }: { camera: CameraStatus; stale: boolean }) {
  const [tone, icon, words] = states[c.state];
  const share = c.bytes > 0 ? Math.min(100, (100 * c.sent) / c.bytes) : c.state === 'ready' ? 100 : 0;
  const left = c.rate > 0 && c.state === 'uploading' ? ((c.bytes - c.sent) / c.rate) * 1000 : 0;
  return (
    <div className={styles.camera}>
      <div className={styles.line}>
        <strong>{c.device}</strong>
        <span className="dim">{c.officer ? `Officer ${c.officer}` : 'Officer not known'}</span>
        <Badge tone={stale ? 'plain' : tone} icon={icon}>{words}</Badge>
      </div>
      {c.files > 0 && (
        <>
          <Progress value={share} size={6} aria-label={`${c.device}: sent`} color={c.state === 'problem' ? 'red' : 'accent'} className={styles.progress} />
          <p className={styles.numbers}>
            <span>{c.done} of {plural(c.files, 'file')} safe</span>
            <span>{c.sent < c.bytes ? `${bytes(c.sent)} of ${bytes(c.bytes)}` : bytes(c.bytes)}</span>
            {c.state === 'uploading' && c.rate > 0 && <span>{bytes(c.rate)}/s</span>}
            {left > 1000 && <span>{lengthInWords(Math.ceil(left / 1000) * 1000)} left</span>}
            {c.wiped > 0 && <span>{c.wiped} wiped</span>}
            {c.leftOver > 0 && <span>{plural(c.leftOver, 'other file')} left alone</span>}
          </p>
        </>
      )}
      {c.message && <p className={styles.message} data-tone={c.state === 'problem' ? 'bad' : 'warn'}><IconAlertTriangle size={15} aria-hidden /><span>{c.message}</span></p>}
      {(c.current ?? []).map((f) => <File key={f.name} file={f} />)}
    </div>
  );
}

function File({ file: f }: { file: FileStatus }) {
  return (
    <p className={styles.file}>
      <span className={styles.name} title={f.name}>{f.name.split('/').at(-1)}</span>
      <span>{fileStates[f.state] ?? f.state}{f.state === 'uploading' && f.length > 0 && ` ${Math.floor((100 * f.sent) / f.length)}%`}</span>
      {f.message && <span className={styles.fileMessage}>{f.message}</span>}
    </p>
  );
}
