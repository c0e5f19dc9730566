import { Alert, Button, Group, PasswordInput, Stack } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { IconAlertCircle } from '@tabler/icons-react';
import { useEffect, useRef, useState, type SyntheticEvent } from 'react';
import { api, onStepUp } from '../api/client';
import { Dialogue } from '../parts/Dialogue';
import { meQuery } from './queries';

/** Asks the person to show once more that it is them, when a request needs that. It stands once beside the pages. */
export function StepUp() {
  const [opened, setOpened] = useState(false);
  const waiting = useRef<((done: boolean) => void)[]>([]);
  useEffect(() => {
    const ask = () =>
      new Promise<boolean>((resolve) => {
        waiting.current.push(resolve); // several requests may need the one answer
        setOpened(true);
      });
    onStepUp(ask);
    return () => onStepUp(undefined);
  }, []);
  const end = (done: boolean) => {
    setOpened(false);
    for (const resolve of waiting.current.splice(0)) resolve(done);
  };
  return (
    <Dialogue opened={opened} onClose={() => end(false)} title="Is it still you?" size="md">
      {opened && <Proof onDone={() => end(true)} onCancel={() => end(false)} />}
    </Dialogue>
  );
}

function Proof({ onDone, onCancel }: { onDone: () => void; onCancel: () => void }) {
  const client = useQueryClient();
  const [password, setPassword] = useState('');
  const prove = useMutation({
    mutationFn: () => api.stepUp(password),
    onSuccess: (me) => {
      client.setQueryData(meQuery.queryKey, me);
      onDone();
    },
  });
  const submit = (e: SyntheticEvent) => {
    e.preventDefault();
    if (password) prove.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <p>What you are about to do needs a proof from the last five minutes. Nothing was changed yet.</p>
        {prove.error && <Alert color="red" icon={<IconAlertCircle aria-hidden />} role="alert">{prove.error.message}</Alert>}
        <PasswordInput label="Password" autoComplete="current-password" data-autofocus value={password}
          visibilityToggleButtonProps={{ 'aria-label': 'Show the password' }} onChange={(e) => setPassword(e.currentTarget.value)} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onCancel}>Cancel</Button>
          <Button type="submit" loading={prove.isPending}>Go on</Button>
        </Group>
      </Stack>
    </form>
  );
}
