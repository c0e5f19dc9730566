import { Alert, Button, Group, Radio, Stack, Textarea } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { IconAlertCircle, IconAlertOctagon, IconAlertTriangle, IconCheck, IconClock, IconX } from '@tabler/icons-react';
import { useState, type SyntheticEvent } from 'react';
import { api } from '../../api/client';
import type { Emergency } from '../../api/types';
import { reasonLeast } from '../../app/BreakGlass';
import { useRenewApprovals } from '../../app/waiting';
import { Badge } from '../../parts/badges';
import { Dialogue } from '../../parts/Dialogue';
import { dayTime, full, known, shortTime } from '../../words/time';
import styles from './Cards.module.css';
import { who } from './words';

function StateBadge({ emergency: e }: { emergency: Emergency }) {
  if (e.inUse) return <Badge tone="bad" icon={IconAlertOctagon}>In use now</Badge>;
  if (e.outcome === 'justified') return <Badge tone="good" icon={IconCheck}>Justified</Badge>;
  if (e.outcome === 'not_justified') return <Badge tone="bad" icon={IconX}>Not justified</Badge>;
  if (e.overdue) return <Badge tone="bad" icon={IconAlertTriangle}>Review overdue</Badge>;
  return <Badge tone="warn" icon={IconClock}>Waits for review</Badge>;
}

/** One time that somebody took emergency access. */
export function EmergencyCard({ emergency: e }: { emergency: Emergency }) {
  const renew = useRenewApprovals();
  const [reviewing, setReviewing] = useState(false);
  const end = useMutation({ mutationFn: () => api.endEmergency(e.id), onSettled: renew });
  return (
    <li className={styles.card} data-bad={e.overdue || e.inUse || undefined}>
      <header>
        <h3>{who(e.by)}</h3>
        <StateBadge emergency={e} />
      </header>
      <blockquote className={styles.reason}>{e.reason}{e.reference && <span className={styles.reference}>{e.reference}</span>}</blockquote>
      <p className={styles.meta}>
        <span title={full(e.openedAt)}>{dayTime(e.openedAt)}</span> to <span title={full(e.endedBy ? e.endedAt : e.until)}>{shortTime(e.endedBy && known(e.endedAt) ? e.endedAt : e.until)}</span>
        {!e.reviewedBy && <> · review due <span title={full(e.dueAt)}>{dayTime(e.dueAt)}</span></>}
        {e.reviewedBy && <> · reviewed by {who(e.reviewedBy)}, <span title={full(e.reviewedAt)}>{dayTime(e.reviewedAt)}</span></>}
      </p>
      {e.note && <p className={styles.note}>{e.note}</p>}
      {!e.reviewedBy && !e.can.review.may && <p className={styles.meta}>{e.can.review.why}</p>}
      {end.error && <Alert color="red" mt="sm" role="alert">{end.error.message}</Alert>}
      {(e.can.end.may || e.can.review.may) && (
        <Group gap="xs" mt={10}>
          {e.can.review.may && <Button size="sm" onClick={() => setReviewing(true)}>Review …</Button>}
          {e.can.end.may && <Button size="sm" color="red.9" loading={end.isPending} onClick={() => end.mutate()}>End it now</Button>}
        </Group>
      )}
      <Dialogue opened={reviewing} onClose={() => setReviewing(false)} title="Was this access justified?" size="md">
        {reviewing && <ReviewForm emergency={e} onClose={() => setReviewing(false)} />}
      </Dialogue>
    </li>
  );
}

function ReviewForm({ emergency: e, onClose }: { emergency: Emergency; onClose: () => void }) {
  const renew = useRenewApprovals();
  const [outcome, setOutcome] = useState<'' | 'justified' | 'not_justified'>('');
  const [note, setNote] = useState('');
  const review = useMutation({
    mutationFn: () => api.reviewEmergency(e.id, outcome || 'not_justified', note.trim()),
    onSuccess: onClose,
    onSettled: renew,
  });
  const submit = (ev: SyntheticEvent) => {
    ev.preventDefault();
    review.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <p>{who(e.by)}, {dayTime(e.openedAt)}: “{e.reason}”</p>
        <p className="dim">What they looked at stands in the trail, marked as looked at under this access.</p>
        <Radio.Group label="Outcome" required value={outcome} onChange={(v) => setOutcome(v === 'justified' ? 'justified' : 'not_justified')}>
          <Stack gap={8} mt={6}>
            <Radio value="justified" label="Justified" />
            <Radio value="not_justified" label="Not justified" />
          </Stack>
        </Radio.Group>
        <Textarea label="Why?" description={`At least ${reasonLeast} characters.`} required maxLength={1000} minRows={3} autosize value={note} onChange={(ev) => setNote(ev.currentTarget.value)} />
        {review.error && <Alert color="red" icon={<IconAlertCircle aria-hidden />} role="alert">{review.error.message}</Alert>}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>Cancel</Button>
          <Button type="submit" loading={review.isPending} disabled={!outcome || note.trim().length < reasonLeast}>Close the review</Button>
        </Group>
      </Stack>
    </form>
  );
}
