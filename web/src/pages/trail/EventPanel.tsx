import { ActionIcon, Button } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { IconCircleCheck, IconCircleX, IconHelpCircle, IconX } from '@tabler/icons-react';
import { useEffect, useRef } from 'react';
import { Link } from 'react-router';
import { api } from '../../api/client';
import type { OpenedEvent } from '../../api/types';
import { useMe } from '../../app/queries';
import { Copy } from '../../parts/Copy';
import { Failure, Loading } from '../../parts/states';
import { fieldsOf, tell } from '../../words/events';
import { EventFields } from '../recording/EventFields';
import type { Filter } from './filter';
import styles from './Trail.module.css';

interface Props {
  id: string;
  onClose: () => void;
  onNarrow: (f: Partial<Filter>) => void;
}

/** One event with all of its fields as they were, and its place in the log. */
export function EventPanel({ id, onClose, onNarrow }: Props) {
  const { data, error, refetch, isFetching } = useQuery({ queryKey: ['trail-event', id], queryFn: ({ signal }) => api.trailEvent(id, signal), staleTime: 30_000 });
  const close = useRef<HTMLButtonElement>(null);
  useEffect(() => close.current?.focus({ preventScroll: true }), [id]);
  return (
    <aside className={styles.panel} aria-label="Event" onKeyDown={(e) => e.key === 'Escape' && onClose()}>
      <div className={styles.panelHead}>
        <h2>{data ? tell(data.opening).what : 'Event'}</h2>
        <ActionIcon ref={close} variant="subtle" color="gray" aria-label="Close event" onClick={onClose}><IconX size={18} aria-hidden /></ActionIcon>
      </div>
      {error && !data && <Failure error={error} retry={() => void refetch()} busy={isFetching} />}
      {!error && !data && <Loading what="the event" />}
      {data && <Opened event={data} onNarrow={onNarrow} />}
    </aside>
  );
}

function Opened({ event, onNarrow }: { event: OpenedEvent; onNarrow: (f: Partial<Filter>) => void }) {
  const { can } = useMe();
  const f = fieldsOf(event.opening);
  return (
    <>
      <div className={styles.steps}>
        {event.recording && can.recordings && <Link to={`/recordings/${event.recording}`}>Open the recording</Link>}
        <button type="button" onClick={() => onNarrow({ recording: event.item })}>All of this item</button>
        {f.actor_id && <button type="button" onClick={() => onNarrow({ person: f.actor_id ?? '' })}>All by this account</button>}
        {f.reference && <button type="button" onClick={() => onNarrow({ reference: f.reference ?? '' })}>All of this case</button>}
      </div>
      <p className="dim">Values are those of the time: names, roles and numbers may be others today.</p>
      <EventFields opening={event.opening} />
      <p className={styles.seq}>Number {event.itemSeq} in the history of <span className="mono">{event.item}</span><Copy value={event.item} what="the identifier" /></p>
      <Proof event={event} />
    </>
  );
}

const signs = { proven: IconCircleCheck, failed: IconCircleX, not_proven: IconHelpCircle };

/** Checks the event in this browser, without trusting the server. */
function Proof({ event }: { event: OpenedEvent }) {
  const check = useMutation({
    mutationFn: async () => {
      const { checkEvent } = await import('@custos/verify');
      return checkEvent({ opening: event.opening, proof: event.proof, checkpoint: event.checkpoint, logKey: event.logKey }, localStorage.getItem('custos-log-key') ?? undefined);
    },
  });
  return (
    <section className={styles.proof} aria-label="Check of the event">
      <p>Checks in this browser that the event says what was recorded, and stands in the signed log.</p>
      <Button size="xs" variant="default" loading={check.isPending} onClick={() => check.mutate()}>{check.data ? 'Verify again' : 'Verify'}</Button>
      {check.error && <p role="alert">The check could not be finished: {check.error.message}</p>}
      {check.data && (
        <div role="status">
          <ul>
            {check.data.map((c) => {
              const Mark = signs[c.state];
              return <li key={c.name} data-state={c.state}><Mark size={16} aria-hidden /><span>{c.says}</span></li>;
            })}
          </ul>
        </div>
      )}
    </section>
  );
}
