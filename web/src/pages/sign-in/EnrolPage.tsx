import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { IconLinkOff } from '@tabler/icons-react';
import { useState } from 'react';
import { Link, Navigate } from 'react-router';
import { api } from '../../api/client';
import { meQuery } from '../../app/queries';
import { Logo } from '../../parts/Logo';
import { Notice } from '../../parts/states';
import { useTitle } from '../../parts/title';
import styles from './SignInPage.module.css';

/** Where an enrolment link leads. Its secret is behind #, which no server is sent; it is used when the person says so, not by a preview of the link. */
export function EnrolPage() {
  useTitle('Begin');
  const client = useQueryClient();
  const [secret] = useState(() => location.hash.slice(1));
  const begin = useMutation({
    mutationFn: () => api.enrol(secret),
    onSuccess: (me) => {
      history.replaceState(null, '', '/enrol'); // the link is used: it need not stand in the history
      client.clear();
      client.setQueryData(meQuery.queryKey, me);
    },
  });
  if (begin.data) return <Navigate to="/account" replace />;
  if (!secret || begin.error) {
    return (
      <main className={styles.page}>
        <Notice icon={IconLinkOff} title="This link does not work" page action={<Button component={Link} to="/sign-in" variant="default">To the sign-in page</Button>}>
          <p>{begin.error?.message ?? 'It is not whole. Copy all of it, or ask for another one.'}</p>
        </Notice>
      </main>
    );
  }
  return (
    <main className={styles.page}>
      <div className={styles.card}>
        <div className={styles.brand}><Logo size={40} /><h1>Custos</h1></div>
        <p>This link is for you alone and works once. On the next page you set up how you sign in: a passkey on this device or a security key, or a password with a code app.</p>
        <div className={styles.form}>
          <Button fullWidth loading={begin.isPending} onClick={() => begin.mutate()}>Begin</Button>
        </div>
      </div>
    </main>
  );
}
