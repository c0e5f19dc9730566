import { Alert, Button, Group, Stack } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { IconAlertCircle } from '@tabler/icons-react';
import type { ReactNode, SyntheticEvent } from 'react';
import { historyQuery, recordingQuery } from '../../app/queries';
import { Dialogue } from '../../parts/Dialogue';
import styles from './ChangeDialog.module.css';

interface Props {
  title: string;
  onClose: () => void;
  children: ReactNode;
}

/** A dialogue that changes how a recording is kept. It stands on the page only while it is open. */
export function ChangeDialog({ title, onClose, children }: Props) {
  return <Dialogue opened onClose={onClose} title={title} size="md">{children}</Dialogue>;
}

interface FormProps {
  recording: string;
  /** what the button says that carries it out */
  does: string;
  /** what will happen, in a sentence or two */
  effect: ReactNode;
  /** false while something needed is missing: then nothing is sent, and missing is called */
  ready: boolean;
  missing: () => void;
  change: () => Promise<void>;
  onClose: () => void;
  children: ReactNode;
}

/** The fields of such a dialogue with what will happen, what the server refused, and the way out. */
export function ChangeForm({ recording, does, effect, ready, missing, change, onClose, children }: FormProps) {
  const client = useQueryClient();
  const act = useMutation({
    mutationFn: change,
    onSuccess: () => {
      onClose();
      void client.invalidateQueries({ queryKey: recordingQuery(recording).queryKey });
      void client.invalidateQueries({ queryKey: historyQuery(recording).queryKey });
    },
  });
  const submit = (e: SyntheticEvent) => {
    e.preventDefault();
    if (act.isPending) return;
    if (ready) act.mutate();
    else missing();
  };
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        {children}
        <p className={styles.effect} role="status">{effect}</p>
        {act.error && <Alert color="red" icon={<IconAlertCircle aria-hidden />} role="alert">{act.error.message}</Alert>}
        <Group justify="space-between">
          <span className="dim">Recorded under your name.</span>
          <Group gap="xs">
            <Button variant="default" onClick={onClose}>Cancel</Button>
            <Button type="submit" loading={act.isPending}>{does}</Button>
          </Group>
        </Group>
      </Stack>
    </form>
  );
}
