import { Alert, Button, PasswordInput, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { IconAlertCircle, IconFingerprint } from '@tabler/icons-react';
import { useState, type SyntheticEvent } from 'react';
import { Navigate, useSearchParams } from 'react-router';
import { api, Problem } from '../../api/client';
import { passkeysHere } from '../../api/passkeys';
import { meQuery, waysQuery } from '../../app/queries';
import { Logo } from '../../parts/Logo';
import { useTitle } from '../../parts/title';
import styles from './SignInPage.module.css';

/** Where to go after signing in: only ever a path of this service. */
export function destination(to: string | null): string {
  return to && /^\/(?![/\\])/.test(to) && !to.startsWith('/sign-in') ? to : '/';
}

function words(e: Error): string {
  if (e instanceof Problem && e.status === 401) return e.detail || 'The name or the password is not right.';
  return e.message || 'Signing in did not work. Try again in a minute.';
}

export function SignInPage() {
  useTitle('Sign in');
  const [params] = useSearchParams();
  const to = destination(params.get('to'));
  const client = useQueryClient();
  const { data: me } = useQuery(meQuery);
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const { data: ways } = useQuery(waysQuery);
  const passkeys = ways !== undefined && passkeysHere(ways.passkeyHost);
  const signIn = useMutation({
    mutationFn: (by: 'passkey' | 'password') => (by === 'passkey' ? api.signInByPasskey() : api.signIn(name.trim(), password, code.trim())),
    onSuccess: (who) => {
      // What a person before saw on this computer must not be seen by this one.
      client.clear();
      client.setQueryData(meQuery.queryKey, who);
    },
  });

  if (me) return <Navigate to={to} replace />;

  const submit = (e: SyntheticEvent) => {
    e.preventDefault();
    if (name.trim() && password) signIn.mutate('password');
  };

  return (
    <main className={styles.page}>
      <div className={styles.card}>
        <div className={styles.brand}><Logo size={40} /><h1>Custos</h1></div>
        <p className="dim">Body-worn video, kept so that everybody can check it.</p>
        <form onSubmit={submit} className={styles.form}>
          {params.has('to') && !signIn.error && <p className={styles.back}>Sign in to go on to the page you asked for.</p>}
          {signIn.error && (
            <Alert color="red" icon={<IconAlertCircle aria-hidden />} role="alert" className={styles.alert}>{words(signIn.error)}</Alert>
          )}
          {passkeys && (
            <>
              <Button fullWidth leftSection={<IconFingerprint size={18} aria-hidden />} loading={signIn.isPending && signIn.variables === 'passkey'} onClick={() => signIn.mutate('passkey')}>
                Use a passkey
              </Button>
              <p className={styles.or}>or with a password</p>
            </>
          )}
          {ways !== undefined && ways.passkeyHost !== '' && !passkeys && ways.url !== location.origin && (
            <p className={styles.back}>Passkeys work at <a href={ways.url}>{ways.url}</a>.</p>
          )}
          <TextInput label="Name" autoComplete="username" autoCapitalize="none" spellCheck={false} required withAsterisk={false} data-autofocus autoFocus
            value={name} onChange={(e) => setName(e.currentTarget.value)} />
          <PasswordInput label="Password" autoComplete="current-password" required withAsterisk={false} value={password}
            visibilityToggleButtonProps={{ 'aria-label': 'Show the password' }} onChange={(e) => setPassword(e.currentTarget.value)} />
          <TextInput label="Code" description="From your code app, or a recovery code. Leave it empty if you have neither." autoComplete="one-time-code" spellCheck={false}
            value={code} onChange={(e) => setCode(e.currentTarget.value)} />
          <Button type="submit" fullWidth variant={passkeys ? 'default' : 'filled'} loading={signIn.isPending && signIn.variables === 'password'}>Sign in</Button>
        </form>
        <p className={styles.law}>Every look at a recording is recorded with your name, the time and the purpose. Use Custos for policing purposes only.</p>
      </div>
    </main>
  );
}
