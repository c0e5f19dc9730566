import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useState, type ReactNode } from 'react';
import { api } from '../../api/client';
import { passkeysHere } from '../../api/passkeys';
import type { Me } from '../../api/types';
import { accountQuery, meQuery, waysQuery } from '../../app/queries';
import { Badge } from '../../parts/badges';
import { Dialogue } from '../../parts/Dialogue';
import { Form } from '../../parts/Form';
import register from '../../parts/Register.module.css';
import { Failure, Loading } from '../../parts/states';
import { useTitle } from '../../parts/title';
import { methodName } from '../../words/methods';
import { ago, dayTime, known } from '../../words/time';
import styles from './AccountPage.module.css';
import { Qr } from './Qr';

type Asked = '' | 'passkey' | 'code' | 'password' | 'recovery' | { remove: string; name: string } | 'remove code' | { codes: string[] };
const changes = [accountQuery.queryKey];

/** How one signs in, and where one is signed in now. */
export function AccountPage() {
  useTitle('How you sign in');
  const client = useQueryClient();
  const { data: a, error, refetch, isFetching } = useQuery(accountQuery);
  const { data: ways } = useQuery(waysQuery);
  const [asked, setAsked] = useState<Asked>('');
  if (error && !a) return <Failure error={error} retry={() => void refetch()} busy={isFetching} page />;
  if (!a) return <Loading page what="your account" />;
  const c = a.credentials;
  const close = () => setAsked('');
  const here = ways !== undefined && passkeysHere(ways.passkeyHost);
  // A change may have made an enrolling session a whole one.
  const signedIn = (me: unknown) => client.setQueryData(meQuery.queryKey, me as Me);
  return (
    <>
      <div className={register.head}>
        <div className={register.titles}><h1>How you sign in</h1><p>Sign-in name {a.login}</p></div>
      </div>
      <div className={register.panels}>
        <Panel title="Passkeys" none="No passkey yet. It is the safest way: nothing to remember, and nobody can coax it out of you."
          action={here && <Button size="xs" onClick={() => setAsked('passkey')}>Add a passkey</Button>}
          note={!here && ways?.passkeyHost ? <>Passkeys can be set up at <a href={ways.url}>{ways.url}</a>.</> : undefined}>
          {c.passkeys.map((k) => (
            <li key={k.id}>
              <span><strong>{k.name}</strong><span className={register.small}>since {dayTime(k.createdAt)}, {known(k.usedAt) ? `used ${ago(k.usedAt)}` : 'not used yet'}{k.synced && ', copied between your devices by its maker'}</span></span>
              <Button size="xs" variant="subtle" onClick={() => setAsked({ remove: k.id, name: k.name })}>Remove<span className="hidden"> {k.name}</span></Button>
            </li>
          ))}
        </Panel>
        <Panel title="Password and code">
          <ul>
            <li>
              <span><strong>Password</strong><span className={register.small}>{c.password ? 'set' : 'none'}</span></span>
              <Button size="xs" variant="default" onClick={() => setAsked('password')}>{c.password ? 'Change' : 'Set a password'}</Button>
            </li>
            <li>
              <span><strong>Code app</strong><span className={register.small}>{known(c.codeApp) ? `since ${dayTime(c.codeApp)}` : c.password ? 'none' : 'none; it goes with a password'}</span></span>
              {known(c.codeApp)
                ? <Button size="xs" variant="subtle" onClick={() => setAsked('remove code')}>Remove<span className="hidden"> the code app</span></Button>
                : <Button size="xs" variant="default" disabled={!c.password} onClick={() => setAsked('code')}>Set up</Button>}
            </li>
            <li>
              <span><strong>Recovery codes</strong><span className={register.small}>{c.recoveryLeft + c.recoveryUsed === 0 ? 'none' : `${c.recoveryLeft} left, ${c.recoveryUsed} used`}</span></span>
              {(c.passkeys.length > 0 || known(c.codeApp)) && <Button size="xs" variant="default" onClick={() => setAsked('recovery')}>New codes</Button>}
            </li>
          </ul>
        </Panel>
        <Panel title="Where you are signed in">
          <ul>
            {a.sessions.map((s) => (
              <li key={s.id}>
                <span>
                  <strong>{s.address || 'Unknown address'}</strong> {s.this && <Badge tone="accent">This one</Badge>}
                  <span className={register.small}>since {dayTime(s.createdAt)}, by {methodName(s.method)}, used {ago(s.seenAt)}</span>
                </span>
                {!s.this && <EndSession id={s.id} address={s.address} />}
              </li>
            ))}
          </ul>
        </Panel>
      </div>
      {asked === 'passkey' && <AddPasskey onClose={close} onDone={signedIn} />}
      {asked === 'password' && <SetPassword onClose={close} onDone={signedIn} />}
      {asked === 'code' && <CodeApp onClose={close} onDone={signedIn} />}
      {asked === 'recovery' && (
        <Form opened onClose={close} title="Make new recovery codes?" action="Make codes" ready send={() => api.newRecoveryCodes()} changes={changes} onDone={(codes) => setAsked({ codes: codes as string[] })}>
          <p>You get ten codes, each of which works once in place of a code from your app, with your password. Codes that you had before stop working.</p>
        </Form>
      )}
      {asked === 'remove code' && (
        <Form opened onClose={close} title="Remove the code app?" action="Remove" ready harm send={api.removeCodeApp} changes={changes}>
          <p>Its codes stop working at once.</p>
        </Form>
      )}
      {typeof asked === 'object' && 'remove' in asked && (
        <Form opened onClose={close} title={`Remove ${asked.name}?`} action="Remove" ready harm send={() => api.removePasskey(asked.remove)} changes={changes}>
          <p>It stops working at once. Nothing is deleted on the device itself.</p>
        </Form>
      )}
      {typeof asked === 'object' && 'codes' in asked && (
        <Dialogue opened onClose={close} title="Your recovery codes" size="md">
          <p><IconAlertTriangle size={16} aria-hidden /> They are shown this once. Print them or write them down, and keep them apart from your password.</p>
          <ul className={styles.codes}>{asked.codes.map((code) => <li key={code} className="mono">{code}</li>)}</ul>
        </Dialogue>
      )}
    </>
  );
}

function Panel({ title, action, none, note, children }: { title: string; action?: ReactNode; none?: string; note?: ReactNode; children: ReactNode }) {
  return (
    <section className={register.panel}>
      <div className={register.panelHead}><h2>{title}</h2>{action}</div>
      {!none ? children : Array.isArray(children) && children.length > 0 ? <ul>{children}</ul> : <p className={register.none}>{none}</p>}
      {note && <p className={register.none}>{note}</p>}
    </section>
  );
}

interface Change {
  onClose: () => void;
  onDone: (me: unknown) => void;
}

function EndSession({ id, address }: { id: string; address: string }) {
  const [asked, setAsked] = useState(false);
  return (
    <>
      <Button size="xs" variant="subtle" onClick={() => setAsked(true)}>End<span className="hidden"> the session from {address}</span></Button>
      <Form opened={asked} onClose={() => setAsked(false)} title="End this session?" action="End now" ready harm send={() => api.endSession(id)} changes={changes}>
        <p>Whoever uses it is signed out at once, and what they watch stops.</p>
      </Form>
    </>
  );
}

function AddPasskey({ onClose, onDone }: Change) {
  const [name, setName] = useState('');
  return (
    <Form opened onClose={onClose} title="Add a passkey" action="Go on" ready={name.trim() !== ''} send={() => api.addPasskey(name.trim())} changes={changes} onDone={onDone}
      note="Your browser asks for finger, face or PIN next.">
      <TextInput label="Name of the passkey" description="So that you know it again, for example: blue security key" data-autofocus maxLength={60} value={name} onChange={(e) => setName(e.currentTarget.value)} />
    </Form>
  );
}

function SetPassword({ onClose, onDone }: Change) {
  const [password, setPassword] = useState('');
  return (
    <Form opened onClose={onClose} title="Set a password" action="Set it" ready={password.length >= 12} send={() => api.setPassword(password)} changes={changes} onDone={onDone}
      note="Your other sessions end.">
      <PasswordInput label="New password" description="At least 12 characters. Four unrelated words make a good one." autoComplete="new-password" data-autofocus value={password}
        visibilityToggleButtonProps={{ 'aria-label': 'Show the password' }} onChange={(e) => setPassword(e.currentTarget.value)} />
    </Form>
  );
}

function CodeApp({ onClose, onDone }: Change) {
  const [code, setCode] = useState('');
  const { data, error, refetch, isFetching } = useQuery({ queryKey: ['code-app'], queryFn: () => api.beginCodeApp(), staleTime: Infinity, gcTime: 0 });
  return (
    <Form opened onClose={onClose} title="Set up a code app" action="Confirm" ready={/^\d{6}$/.test(code.trim())} send={() => api.confirmCodeApp(code.trim())} changes={changes} onDone={onDone}>
      {error && <Failure error={error} retry={() => void refetch()} busy={isFetching} />}
      {!data && !error && <Loading what="a new secret" />}
      {data && (
        <>
          <p>Scan this with an app such as the authenticator of your phone, or type the secret into it.</p>
          <Qr text={data.uri} label="QR code with the secret below" />
          <p className={styles.secret}>Secret: <span className="mono">{data.secret.replace(/(.{4})/g, '$1 ').trim()}</span></p>
          <TextInput label="Code that the app shows" inputMode="numeric" autoComplete="one-time-code" maxLength={6} value={code} onChange={(e) => setCode(e.currentTarget.value)} />
        </>
      )}
    </Form>
  );
}
