import { Alert, Button, PasswordInput, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { IconAlertCircle } from '@tabler/icons-react';
import { useState, type SyntheticEvent } from 'react';
import { Navigate, useSearchParams } from 'react-router';
import { api, Problem } from '../../api/client';
import { meQuery } from '../../app/queries';
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
  const signIn = useMutation({
    mutationFn: () => api.signIn(name.trim(), password),
    onSuccess: (who) => {
      // What a person before saw on this computer must not be seen by this one.
      client.clear();
      client.setQueryData(meQuery.queryKey, who);
    },
  });

  if (me) return <Navigate to={to} replace />;

  const submit = (e: SyntheticEvent) => {
    e.preventDefault();
    if (name.trim() && password) signIn.mutate();
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
          <TextInput label="Name" autoComplete="username" autoCapitalize="none" spellCheck={false} required withAsterisk={false} data-autofocus autoFocus
            value={name} onChange={(e) => setName(e.currentTarget.value)} />
          <PasswordInput label="Password" autoComplete="current-password" required withAsterisk={false} value={password}
            visibilityToggleButtonProps={{ 'aria-label': 'Show the password' }} onChange={(e) => setPassword(e.currentTarget.value)} />
          <Button type="submit" fullWidth loading={signIn.isPending}>Sign in</Button>
        </form>
        <p className={styles.law}>Every look at a recording is recorded with your name, the time and the purpose. Use Custos for policing purposes only.</p>
      </div>
    </main>
  );
}
