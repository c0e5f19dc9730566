import { Alert, Button, Group, Stack, Textarea, TextInput, UnstyledButton } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { IconAlertCircle, IconAlertOctagon, IconX } from '@tabler/icons-react';
import { useEffect, useState, type SyntheticEvent } from 'react';
import { Link } from 'react-router';
import { api } from '../api/client';
import type { Emergency } from '../api/types';
import { Dialogue } from '../parts/Dialogue';
import { length, shortTime } from '../words/time';
import styles from './BreakGlass.module.css';
import { useLive } from './live';
import { useMe } from './queries';
import { myEmergencyQuery, useApprovalsLive } from './waiting';

/** The shortest reason that the server takes. */
export const reasonLeast = 10;

/** The way to emergency access, for those who may take it. */
export function TakeEmergency({ className }: { className?: string }) {
  const [opened, setOpened] = useState(false);
  const { data } = useQuery(myEmergencyQuery);
  if (data?.open) return null;
  return (
    <>
      <UnstyledButton className={`${className ?? ''} ${styles.take}`} onClick={() => setOpened(true)}>
        <IconAlertOctagon size={20} stroke={1.7} aria-hidden />
        <span>Emergency access</span>
      </UnstyledButton>
      <Dialogue opened={opened} onClose={() => setOpened(false)} title="Take emergency access?" size="md">
        {opened && <EmergencyForm onDone={() => setOpened(false)} />}
      </Dialogue>
    </>
  );
}

function EmergencyForm({ onDone }: { onDone: () => void }) {
  const client = useQueryClient();
  const [reason, setReason] = useState('');
  const [reference, setReference] = useState('');
  const take = useMutation({
    mutationFn: () => api.breakGlass(reason.trim(), reference.trim()),
    onSuccess: async () => {
      onDone();
      await client.invalidateQueries(); // other recordings may be known now
    },
  });
  const submit = (e: SyntheticEvent) => {
    e.preventDefault();
    take.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <p>For 15 minutes you may find and watch recordings of the whole force, restricted ones too. It is for when waiting would do harm.</p>
        <ul className={styles.follows}>
          <li>Professional standards, auditors and the data protection officer are told at once, with your name and reason.</li>
          <li>Every look is recorded as made under it.</li>
          <li>One of them reviews within 24 hours whether it was justified.</li>
        </ul>
        {take.error && <Alert color="red" icon={<IconAlertCircle aria-hidden />} role="alert">{take.error.message}</Alert>}
        <Textarea label="Why now?" description={`What is at stake, in at least ${reasonLeast} characters.`} value={reason} required maxLength={1000} minRows={3} autosize data-autofocus
          onChange={(e) => setReason(e.currentTarget.value)} />
        <TextInput label="Case or incident number" description="If there is one already." value={reference} maxLength={100} autoComplete="off" spellCheck={false}
          onChange={(e) => setReference(e.currentTarget.value)} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onDone}>Cancel</Button>
          <Button type="submit" color="red.9" loading={take.isPending} disabled={reason.trim().length < reasonLeast}>Take it for 15 minutes</Button>
        </Group>
      </Stack>
    </form>
  );
}

/** Stands over every page while this person has emergency access, and counts down. */
export function EmergencyBanner() {
  const { can } = useMe();
  return can.breakGlass ? <MyBanner /> : null;
}

function MyBanner() {
  useApprovalsLive();
  const { data, dataUpdatedAt } = useQuery(myEmergencyQuery);
  if (!data?.open) return null;
  // Counted by the server's clock: that of this computer may be wrong.
  return <Countdown key={data.open.id} emergency={data.open} ahead={dataUpdatedAt - Date.parse(data.now)} />;
}

function Countdown({ emergency, ahead }: { emergency: Emergency; ahead: number }) {
  const client = useQueryClient();
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), 1000);
    return () => window.clearInterval(timer);
  }, []);
  const left = Date.parse(emergency.until) - (now - ahead);
  const over = left <= 0;
  useEffect(() => {
    if (over) void client.invalidateQueries(); // what it showed is not this person's to see any more
  }, [over, client]);
  const end = useMutation({ mutationFn: () => api.endEmergency(emergency.id), onSettled: () => client.invalidateQueries() });
  if (over) return null;
  return (
    <section className={styles.banner} aria-label="Emergency access">
      <IconAlertOctagon size={20} aria-hidden />
      <p>
        <strong>Emergency access</strong> until {shortTime(emergency.until)}. Every look is recorded under it.
        {end.error && <span role="alert"> {end.error.message}</span>}
      </p>
      <span className={styles.left} role="timer" aria-label="Time left">{length(left + 999)}</span>
      <Button size="compact-sm" variant="white" color="dark" loading={end.isPending} onClick={() => end.mutate()}>End it now</Button>
    </section>
  );
}

/** Tells those who review emergency access, as it happens, that somebody took it. */
export function EmergencyAlert() {
  const [taken, setTaken] = useState<{ id?: string; name?: string }>();
  useLive('breakGlass', (e) => {
    if (e.state === 'opened') setTaken(e);
    else if (e.id) setTaken((t) => (t?.id === e.id ? undefined : t));
  });
  if (!taken?.name) return null;
  return (
    <div className={styles.alert} role="alert">
      <IconAlertOctagon size={20} aria-hidden />
      <p><strong>{taken.name}</strong> has taken emergency access. <Link to="/approvals?show=reviews" onClick={() => setTaken(undefined)}>See why</Link></p>
      <UnstyledButton className={styles.close} aria-label="Put this message away" onClick={() => setTaken(undefined)}><IconX size={18} aria-hidden /></UnstyledButton>
    </div>
  );
}
