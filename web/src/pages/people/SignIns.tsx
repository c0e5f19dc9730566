import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../../api/client';
import { Copy } from '../../parts/Copy';
import { Dialogue } from '../../parts/Dialogue';
import { Form } from '../../parts/Form';
import styles from '../../parts/Register.module.css';
import { Failure, Loading } from '../../parts/states';
import { dayTime, known, plural } from '../../words/time';

type Asked = '' | 'link' | 'sessions' | { made: string } | { revoke: string; name: string };

/** How somebody signs in and where they are, for an administrator: a link to begin with, what was lost, sessions that must end. */
export function SignIns({ person, name }: { person: string; name: string }) {
  const key = ['person-sign-ins', person];
  const { data, error, refetch, isFetching } = useQuery({ queryKey: key, queryFn: ({ signal }) => api.personCredentials(person, signal), staleTime: 0 });
  const [asked, setAsked] = useState<Asked>('');
  const close = () => setAsked('');
  const c = data?.credentials;
  const lost = (id: string, what: string) => <Button size="xs" variant="subtle" onClick={() => setAsked({ revoke: id, name: what })}>Revoke<span className="hidden"> {what}</span></Button>;
  return (
    <section className={styles.panel}>
      <div className={styles.panelHead}><h2>Signing in</h2><Button size="xs" variant="default" onClick={() => setAsked('link')}>Make a link</Button></div>
      {error && <Failure error={error} retry={() => void refetch()} busy={isFetching} />}
      {!data && !error && <Loading what="how they sign in" />}
      {data && c && (
        <ul>
          {c.passkeys.map((k) => <li key={k.id}><span><strong>{k.name}</strong><span className={styles.small}>passkey since {dayTime(k.createdAt)}</span></span>{lost(k.id, k.name)}</li>)}
          {known(c.codeApp) && <li><span><strong>Code app</strong><span className={styles.small}>since {dayTime(c.codeApp)}</span></span>{lost('code-app', 'the code app')}</li>}
          <li><span><strong>Password</strong><span className={styles.small}>{c.password ? 'set' : 'none'}</span></span></li>
          <li>
            <span><strong>Sessions</strong><span className={styles.small}>{data.sessions.length === 0 ? 'not signed in' : plural(data.sessions.length, 'session')}</span></span>
            {data.sessions.length > 0 && <Button size="xs" variant="subtle" onClick={() => setAsked('sessions')}>End all</Button>}
          </li>
        </ul>
      )}
      {asked === 'link' && (
        <Form opened onClose={close} title={`A link for ${name}`} action="Make the link" ready send={() => api.enrolmentLink(person)} changes={[key]} onDone={(link) => setAsked({ made: link as string })}>
          <p>With it they set up a passkey, or a password with a code app. It works once, for 24 hours. Whoever has it is {name}: hand it over in person or by a safe way.</p>
        </Form>
      )}
      {asked === 'sessions' && (
        <Form opened onClose={close} title="End all sessions?" action="End them" ready harm send={() => api.endSessionsOf(person)} changes={[key]}>
          <p>{name} is signed out everywhere at once, and what they watch stops.</p>
        </Form>
      )}
      {typeof asked === 'object' && 'revoke' in asked && (
        <Form opened onClose={close} title={`Revoke ${asked.name}?`} action="Revoke" ready harm send={() => api.revokeCredential(person, asked.revoke)} changes={[key]}>
          <p>It stops working at once, and {name} is signed out everywhere. They may need a new link.</p>
        </Form>
      )}
      {typeof asked === 'object' && 'made' in asked && (
        <Dialogue opened onClose={close} title={`The link for ${name}`} size="lg">
          <p>It is shown this once.</p>
          <p className="mono" style={{ overflowWrap: 'anywhere' }}>{asked.made} <Copy value={asked.made} what="the link" /></p>
        </Dialogue>
      )}
    </section>
  );
}
