import { Alert, Button, Group, Stack, Textarea } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { IconAlertCircle, IconArrowRight, IconBan, IconCheck, IconClock, IconClockOff, IconX, type Icon } from '@tabler/icons-react';
import { useState, type SyntheticEvent } from 'react';
import { api } from '../../api/client';
import type { Ability, ApprovalRequest, RequestState } from '../../api/types';
import { reasonLeast } from '../../app/BreakGlass';
import { useRenewApprovals } from '../../app/waiting';
import { Badge, type Tone } from '../../parts/badges';
import { Dialogue } from '../../parts/Dialogue';
import { dayTime, full, known } from '../../words/time';
import styles from './Cards.module.css';
import { who } from './words';

const states: Record<RequestState, [Tone, Icon, string]> = {
  open: ['accent', IconClock, 'Waits'], done: ['good', IconCheck, 'Approved and done'], refused: ['warn', IconX, 'Refused'],
  withdrawn: ['plain', IconBan, 'Withdrawn'], expired: ['plain', IconClockOff, 'Expired'], failed: ['bad', IconAlertCircle, 'Could not be done'],
};

type Act = 'approve' | 'refuse' | 'withdraw';

/** One request, with what this person may do to it, and why not. */
export function RequestCard({ request: r }: { request: ApprovalRequest }) {
  const [act, setAct] = useState<Act>();
  const [tone, icon, words] = states[r.state];
  return (
    <li className={styles.card}>
      <header>
        <h3>{r.title}: {r.subjectName}</h3>
        <Badge tone={tone} icon={icon}>{words}</Badge>
      </header>
      <Change request={r} />
      <blockquote className={styles.reason}>{r.reason}</blockquote>
      <p className={styles.meta}>
        Asked for by {who(r.askedBy)}, <span title={full(r.askedAt)}>{dayTime(r.askedAt)}</span>
        {r.state === 'open' && <> · stands until <span title={full(r.expiresAt)}>{dayTime(r.expiresAt)}</span></>}
        {r.decidedBy && known(r.decidedAt) && r.state !== 'expired' && <> · {words.toLowerCase()} by {who(r.decidedBy)}, <span title={full(r.decidedAt)}>{dayTime(r.decidedAt)}</span></>}
      </p>
      {r.note && <p className={styles.note}>{r.note}</p>}
      {r.failure && <p className={styles.failure}><IconAlertCircle size={16} aria-hidden /> <span>It was approved and could not be carried out: {r.failure}</span></p>}
      {r.state === 'open' && <Buttons request={r} onAct={setAct} />}
      <Decision request={r} act={act} onClose={() => setAct(undefined)} />
    </li>
  );
}

function Change({ request: r }: { request: ApprovalRequest }) {
  return (
    <p className={styles.change}>
      <span>{r.was}</span> <IconArrowRight size={16} aria-label="to" /> <strong>{r.wanted}</strong>
    </p>
  );
}

/** The reasons, said once, why this person may not do what others may. */
export function whyNot(can: { approve: Ability; refuse: Ability; withdraw: Ability }): string {
  return can.approve.may || can.withdraw.may ? '' : can.approve.why;
}

function Buttons({ request: { can }, onAct }: { request: ApprovalRequest; onAct: (a: Act) => void }) {
  const why = whyNot(can);
  return (
    <>
      {why && <p className={styles.meta}>{why}</p>}
      {(can.approve.may || can.refuse.may || can.withdraw.may) && (
        <Group gap="xs" mt={10}>
          {can.approve.may && <Button size="sm" onClick={() => onAct('approve')}>Approve …</Button>}
          {can.refuse.may && <Button size="sm" variant="default" onClick={() => onAct('refuse')}>Refuse …</Button>}
          {can.withdraw.may && <Button size="sm" variant="default" onClick={() => onAct('withdraw')}>Withdraw …</Button>}
        </Group>
      )}
    </>
  );
}

const titles: Record<Act, string> = { approve: 'Approve and carry out?', refuse: 'Refuse this request?', withdraw: 'Withdraw your request?' };
const does: Record<Act, string> = { approve: 'Approve', refuse: 'Refuse', withdraw: 'Withdraw' };

function Decision({ request, act, onClose }: { request: ApprovalRequest; act: Act | undefined; onClose: () => void }) {
  return (
    <Dialogue opened={act !== undefined} onClose={onClose} title={act ? titles[act] : ''} size="md">
      {act && <DecisionForm request={request} act={act} onClose={onClose} />}
    </Dialogue>
  );
}

function DecisionForm({ request: r, act, onClose }: { request: ApprovalRequest; act: Act; onClose: () => void }) {
  const renew = useRenewApprovals();
  const [reason, setReason] = useState('');
  const decide = useMutation({
    mutationFn: () => api.decideApproval(r.id, act, act === 'refuse' ? reason.trim() : undefined),
    onSuccess: onClose,
    onSettled: renew,
  });
  const submit = (e: SyntheticEvent) => {
    e.preventDefault();
    decide.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <div>
          <p>{r.title}: <strong>{r.subjectName}</strong></p>
          <Change request={r} />
        </div>
        {act === 'approve' && <p>It is carried out at once. Your name and that of {r.askedBy.name} stay with it.{r.kind === 'role.grant' && ' The person is signed out everywhere.'}{r.kind === 'dock.revoke' && ' The dock brings nothing in any more until it is enrolled again; footage stays on its cameras.'}</p>}
        {act === 'refuse' && (
          <Textarea label="Why not?" description={`${r.askedBy.name} reads this. At least ${reasonLeast} characters.`} required maxLength={1000} minRows={3} autosize data-autofocus
            value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
        )}
        {act === 'withdraw' && <p>Nobody can approve it any more. You can ask again.</p>}
        {decide.error && <Alert color="red" icon={<IconAlertCircle aria-hidden />} role="alert">{decide.error.message}</Alert>}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>Cancel</Button>
          <Button type="submit" loading={decide.isPending} disabled={act === 'refuse' && reason.trim().length < reasonLeast}>{does[act]}</Button>
        </Group>
      </Stack>
    </form>
  );
}
