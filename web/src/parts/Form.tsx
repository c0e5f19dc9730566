import { Alert, Button, Group, Stack } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { IconAlertCircle } from '@tabler/icons-react';
import type { ReactNode, SyntheticEvent } from 'react';
import { Dialogue } from './Dialogue';
import styles from './Register.module.css';

interface Props {
  opened: boolean;
  onClose: () => void;
  title: string;
  /** what the button says */
  action: string;
  /** false while something is missing */
  ready: boolean;
  /** makes the change; its failure is shown in the dialogue */
  send: () => Promise<unknown>;
  /** what to read anew afterwards */
  changes: readonly (readonly unknown[])[];
  onDone?: (answer: unknown) => void;
  note?: ReactNode;
  /** the change takes something away */
  harm?: boolean;
  children: ReactNode;
}

/** A dialogue that asks for values and sends them as one change. */
export function Form({ opened, onClose, title, action, ready, send, changes, onDone, note, harm, children }: Props) {
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: send,
    onSuccess: async (answer) => {
      await Promise.all(changes.map((queryKey) => client.invalidateQueries({ queryKey: [...queryKey] })));
      onClose();
      onDone?.(answer);
    },
  });
  const close = () => {
    change.reset();
    onClose();
  };
  const submit = (e: SyntheticEvent) => {
    e.preventDefault();
    if (ready && !change.isPending) change.mutate();
  };
  return (
    <Dialogue opened={opened} onClose={close} title={title} size="md">
      <form onSubmit={submit}>
        <Stack gap="md">
          {change.error && <Alert color="red" icon={<IconAlertCircle aria-hidden />} role="alert">{change.error.message}</Alert>}
          {children}
          <Group justify="space-between" wrap="nowrap">
            <span className="dim">{note ?? 'This is recorded under your name.'}</span>
            <Button type="submit" className={styles.keep} loading={change.isPending} disabled={!ready} color={harm ? 'red' : undefined}>{action}</Button>
          </Group>
        </Stack>
      </form>
    </Dialogue>
  );
}
