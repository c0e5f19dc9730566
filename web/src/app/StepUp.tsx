import { Alert, Button, Group, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { IconAlertCircle, IconFingerprint } from '@tabler/icons-react';
import { useEffect, useRef, useState, type SyntheticEvent } from 'react';
import { api, onStepUp } from '../api/client';
import { passkeysHere } from '../api/passkeys';
import type { StepUpWays } from '../api/types';
import { Dialogue } from '../parts/Dialogue';
import { Failure, Loading } from '../parts/states';
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
      {opened && <Ways onDone={() => end(true)} onCancel={() => end(false)} />}
    </Dialogue>
  );
}

interface Props {
  onDone: () => void;
  onCancel: () => void;
}

function Ways(props: Props) {
  // Asked anew each time: the question for a passkey is answered once.
  const { data, error, refetch, isFetching } = useQuery({ queryKey: ['step-up'], queryFn: ({ signal }) => api.stepUpWays(signal), staleTime: 0, gcTime: 0 });
  if (error) return <Failure error={error} retry={() => void refetch()} busy={isFetching} />;
  if (!data) return <Loading what="the ways to show it" />;
  return <Proof ways={data} {...props} />;
}

function Proof({ ways, onDone, onCancel }: Props & { ways: StepUpWays }) {
  const client = useQueryClient();
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const passkey = (ways.passkey.allow ?? []).length > 0 && passkeysHere(ways.passkey.site);
  const prove = useMutation({
    mutationFn: (by: 'passkey' | 'password') => (by === 'passkey' ? api.stepUpByPasskey(ways.passkey) : api.stepUp(password, code.trim())),
    onSuccess: (me) => {
      client.setQueryData(meQuery.queryKey, me);
      onDone();
    },
  });
  const submit = (e: SyntheticEvent) => {
    e.preventDefault();
    if (password) prove.mutate('password');
    else if (passkey) prove.mutate('passkey');
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        <p>What you are about to do needs a proof from the last five minutes. Nothing was changed yet.</p>
        {prove.error && <Alert color="red" icon={<IconAlertCircle aria-hidden />} role="alert">{prove.error.message}</Alert>}
        {passkey && (
          <Button data-autofocus leftSection={<IconFingerprint size={18} aria-hidden />} loading={prove.isPending} onClick={() => prove.mutate('passkey')}>Use your passkey</Button>
        )}
        {ways.password && (
          <>
            <PasswordInput label={passkey ? 'Or your password' : 'Password'} autoComplete="current-password" data-autofocus={passkey ? undefined : true} value={password}
              visibilityToggleButtonProps={{ 'aria-label': 'Show the password' }} onChange={(e) => setPassword(e.currentTarget.value)} />
            {ways.code && <TextInput label="Code" description="From your code app, or a recovery code." autoComplete="one-time-code" value={code} onChange={(e) => setCode(e.currentTarget.value)} />}
          </>
        )}
        {!passkey && !ways.password && <p>This account has no way to show it at this address. Sign out, and sign in again.</p>}
        <Group justify="flex-end">
          <Button variant="default" onClick={onCancel}>Cancel</Button>
          {ways.password && <Button type="submit" variant={passkey ? 'default' : 'filled'} loading={prove.isPending} disabled={!password}>Go on</Button>}
        </Group>
      </Stack>
    </form>
  );
}
