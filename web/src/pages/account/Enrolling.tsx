import { Button } from '@mantine/core';
import type { Me } from '../../api/types';
import { StepUp } from '../../app/StepUp';
import { Logo } from '../../parts/Logo';
import { api } from '../../api/client';
import { AccountPage } from './AccountPage';
import styles from './AccountPage.module.css';

/** All that somebody sees who must first set up how they sign in. */
export function Enrolling({ me }: { me: Me }) {
  return (
    <main className={styles.alone}>
      <div className={styles.brand}>
        <Logo size={32} />
        <strong>Custos</strong>
        <Button variant="subtle" size="xs" onClick={() => void api.signOut().finally(() => window.location.assign('/sign-in'))}>Sign out</Button>
      </div>
      <p className={styles.intro}>Welcome, {me.name}. Custos opens once you have a passkey, or a password with a code app.</p>
      <AccountPage />
      <StepUp />
    </main>
  );
}
