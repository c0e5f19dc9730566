import { Button, Loader } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { IconLock, IconMovieOff, IconPlayerPlayFilled, IconRefresh } from '@tabler/icons-react';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { api, Problem } from '../../api/client';
import type { Consultation, Detail, Purpose } from '../../api/types';
import { useLive } from '../../app/live';
import { historyQuery, recordingQuery, usePurposeName } from '../../app/queries';
import { useKeys } from '../../parts/keys';
import { lengthInWords } from '../../words/time';
import { Player } from './Player';
import styles from './Player.module.css';
import { PurposeDialog } from './PurposeDialog';
import { SegmentList } from './SegmentList';
import { layOutTimeline } from './timeline';

const remembered = 'custos-purpose';
/** What is sent where the server needs to be told nothing: own footage, or a purpose that still holds. */
const nothing: Purpose = { code: '', reference: '', note: '' };

/** The purpose given last in this browser tab: the dialog begins with it, so that a morning's review is not typed fifty times. */
function lastPurpose(): Purpose {
  try {
    const p = JSON.parse(sessionStorage.getItem(remembered) ?? '') as Partial<Purpose>;
    return { code: p.code ?? '', reference: p.reference ?? '', note: '' };
  } catch {
    return nothing;
  }
}

/** The player's place on the page: before, while and after a recording is watched. */
export function Viewer({ detail }: { detail: Detail }) {
  const client = useQueryClient();
  const [asking, setAsking] = useState<string>();
  const [id, setId] = useState<string>();
  const [ended, setEnded] = useState(false);
  const watched = useRef<() => number>(() => 0);

  const begin = useMutation({
    mutationFn: (p: Purpose) => api.consult(detail.id, p),
    onSuccess: (c, p) => {
      if (p.code) sessionStorage.setItem(remembered, JSON.stringify(p));
      client.setQueryData(['consultation', c.id], c);
      setAsking(undefined);
      setEnded(false);
      setId(c.id);
      void client.invalidateQueries({ queryKey: historyQuery(detail.id).queryKey });
      void client.invalidateQueries({ queryKey: recordingQuery(detail.id).queryKey }); // who viewed it last, and for what
    },
    onError: (e) => {
      // Invalid means that the force's rule wants more than was given.
      if (e instanceof Problem && e.code === 'invalid') setAsking(e.detail);
      else void client.invalidateQueries({ queryKey: recordingQuery(detail.id).queryKey }); // it may be hidden by now
    },
  });

  const consultation = useQuery({
    queryKey: ['consultation', id],
    queryFn: ({ signal }) => api.consultation(id ?? '', signal),
    enabled: !!id && !ended,
    staleTime: Infinity,
    retry: false,
    refetchInterval: ({ state }) => {
      if (state.data?.segments.some((s) => s.proxyState === 'making' || s.state === 'pending')) return 2000;
      // Shortly after it would expire: reading on may have moved that moment.
      const left = state.data ? Date.parse(state.data.expiresAt) - Date.now() : 0;
      return state.data ? Math.min(Math.max(left + 1000, 15_000), 2 ** 31 - 1) : false;
    },
  });
  const refused = consultation.error instanceof Problem && ['not_found', 'denied', 'conflict', 'invalid'].includes(consultation.error.code);
  const over = ended || refused;
  // A viewing that the server has ended may have ended because the recording is no longer for this person.
  useEffect(() => {
    if (refused) void client.invalidateQueries({ queryKey: recordingQuery(detail.id).queryKey });
  }, [client, refused, detail.id]);

  // Whoever leaves the page stops watching; the server is told how long it was.
  useEffect(() => {
    if (!id) return;
    let told = false;
    const end = () => {
      if (!told) api.endConsultation(id, watched.current());
      told = true;
    };
    const hide = (e: PageTransitionEvent) => {
      end();
      if (e.persisted) setEnded(true); // the page may come back from the browser's memory
    };
    window.addEventListener('pagehide', hide);
    return () => {
      window.removeEventListener('pagehide', hide);
      end();
    };
  }, [id]);

  const renew = (recording: string) => {
    if (recording === detail.id && id && !over) void consultation.refetch();
  };
  useLive('work', ({ recording }) => renew(recording));
  useLive('recordings', (r) => renew(r.id));
  const start = () => {
    if (begin.isPending) return;
    if (detail.kept.needsPurpose) setAsking('');
    else begin.mutate(nothing);
  };
  const startable = detail.can.consult && (!id || over) && detail.state !== 'none';
  useKeys({ ' ': start, k: start }, startable);

  const dialog = (
    <PurposeDialog opened={asking !== undefined} refused={asking ?? ''} initial={lastPurpose()} busy={begin.isPending}
      onClose={() => { setAsking(undefined); begin.reset(); }} onSubmit={(p) => begin.mutate(p)} />
  );
  if (id && consultation.data && !over) {
    return (
      <>
        <Player
          key={id}
          detail={detail}
          consultation={consultation.data}
          watchedRef={watched}
          onRefused={() => void consultation.refetch()}
          onUnmarked={() => setEnded(true)}
          instead={(n) => <Instead consultation={consultation.data} segment={n} detail={detail} onAsked={() => void consultation.refetch()} />}
        />
        {dialog}
      </>
    );
  }
  const failure = begin.error && !(begin.error instanceof Problem && begin.error.code === 'invalid') ? begin.error : undefined;
  return (
    <>
      <section className={styles.player} aria-label="Player">
        <div className={styles.stage}>
          {detail.poster && <img className={styles.poster} src={detail.poster} alt="" />}
          <Before detail={detail} ended={over} failure={failure} busy={begin.isPending} onStart={start} onChange={() => setAsking('')} />
        </div>
      </section>
      {detail.segments.length > 1 && (
        <SegmentList detail={detail} heading={`${detail.segments.length} segments`}
          pieces={layOutTimeline(detail.segments.map((s) => ({ number: s.number, durationMs: s.media.durationMs ?? 0 })), detail.gaps ?? [])} />
      )}
      {dialog}
    </>
  );
}

interface BeforeProps {
  detail: Detail;
  ended: boolean;
  failure?: Error;
  busy: boolean;
  onStart: () => void;
  onChange: () => void;
}

/** What stands over the still picture before anybody has watched, and after. */
function Before({ detail, ended, failure, busy, onStart, onChange }: BeforeProps) {
  if (!detail.can.consult) {
    return <Overlay icon={<IconLock size={28} aria-hidden />} title="You may not watch this recording">Its details {detail.can.trail && 'and its chain of custody '}are open to you, the footage is not.</Overlay>;
  }
  if (detail.state === 'none') return <CannotBeShown why={detail.why} canExport={detail.can.export} />;
  return (
    <div className={styles.overlay}>
      {failure && <p role="alert"><strong>It could not be opened.</strong> {failure.message}</p>}
      {ended && !failure && <p role="status"><strong>This viewing has ended.</strong> It was open for a long time without being watched, or the footage has been withdrawn.</p>}
      {detail.state === 'pending' && <p role="status">This recording is being prepared. It may not play yet; its master is safely stored.</p>}
      <Button size="md" leftSection={ended ? <IconRefresh size={18} aria-hidden /> : <IconPlayerPlayFilled size={18} aria-hidden />} onClick={onStart} loading={busy}>
        {ended || failure ? 'Watch again' : detail.state === 'audio' ? 'Listen' : 'Watch'}
      </Button>
      <Reason detail={detail} onChange={onChange} />
      <p>This look is recorded in the chain of custody under your name.</p>
    </div>
  );
}

/** For what it will be watched, where that is known already. */
function Reason({ detail: { kept }, onChange }: { detail: Detail; onChange: () => void }) {
  const nameOf = usePurposeName();
  if (kept.needsPurpose) return <p>You are asked for the purpose first.</p>;
  return (
    <p>
      {kept.purpose ? `Purpose: ${[nameOf(kept.purpose.code), kept.purpose.reference].filter(Boolean).join(', ')}` : 'Your own footage: no purpose is asked for.'}
      <button type="button" className={styles.quiet} onClick={onChange}>{kept.purpose ? 'Change' : 'Give one'}</button>
    </p>
  );
}

function Overlay({ icon, title, children }: { icon: ReactNode; title: string; children: ReactNode }) {
  return <div className={styles.overlay} role="status">{icon}<strong>{title}</strong><p>{children}</p></div>;
}

function CannotBeShown({ why, canExport }: { why: string; canExport: boolean }) {
  return (
    <Overlay icon={<IconMovieOff size={28} aria-hidden />} title="Cannot be shown as video">
      {why || 'The file holds nothing that a player here can read.'} The master is stored exactly as the camera wrote it
      {canExport ? ' and can be exported to be opened with the maker’s own player.' : '. Ask the disclosure office if it has to be opened with the maker’s own player.'}
    </Overlay>
  );
}

interface InsteadProps {
  consultation: Consultation;
  segment: number;
  detail: Detail;
  onAsked: () => void;
}

/** In place of the picture of a segment that a browser cannot play as it is. */
function Instead({ consultation, segment, detail, onAsked }: InsteadProps) {
  const client = useQueryClient();
  const s = consultation.segments.find((p) => p.number === segment);
  const make = useMutation({
    mutationFn: () => api.makeProxy(consultation.id, segment),
    onSuccess: () => {
      onAsked();
      void client.invalidateQueries({ queryKey: recordingQuery(detail.id).queryKey });
    },
  });
  if (!s || s.state === 'none') return <CannotBeShown why={s?.why ?? ''} canExport={detail.can.export} />;
  if (s.state === 'pending') {
    return <Overlay icon={<Loader size="sm" color="white" aria-hidden />} title="Being prepared">The file has arrived and is safely stored. It is being looked at now and appears here by itself.</Overlay>;
  }
  if (s.proxyState === 'making' || make.isSuccess && s.proxyState === '') {
    return <Making detail={detail} />;
  }
  return (
    <div className={styles.overlay}>
      <strong>{s.proxyState === 'failed' ? 'The viewing copy could not be made' : 'Needs a viewing copy'}</strong>
      <p>{s.why || 'Browsers cannot play this kind of file.'} A copy for viewing can be made now; the master is not changed.</p>
      {make.error && <p role="alert">{make.error.message}</p>}
      <Button onClick={() => make.mutate()} loading={make.isPending}>{s.proxyState === 'failed' ? 'Try again' : 'Make a viewing copy'}</Button>
    </div>
  );
}

function Making({ detail }: { detail: Detail }) {
  const [since] = useState(() => Date.now());
  const [now, setNow] = useState(since);
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), 1000);
    return () => window.clearInterval(timer);
  }, []);
  const work = detail.work?.find((w) => w.kind === 'proxy' && w.state !== 'done');
  return (
    <Overlay icon={<Loader size="sm" color="white" aria-hidden />} title={work?.state === 'waiting' ? 'The viewing copy is next in line' : 'Making a viewing copy'}>
      {now - since > 2000 ? `For ${lengthInWords(now - since)} so far. ` : ''}It starts to play here by itself. You may leave the page and come back.
    </Overlay>
  );
}
