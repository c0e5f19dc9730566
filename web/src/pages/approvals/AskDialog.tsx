import { Alert, Button, Group, NativeSelect, Select, Stack, Textarea } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useMutation, useQuery } from '@tanstack/react-query';
import { IconAlertCircle } from '@tabler/icons-react';
import { useState, type SyntheticEvent } from 'react';
import { api } from '../../api/client';
import type { ApprovalSubject, Waiting } from '../../api/types';
import { reasonLeast } from '../../app/BreakGlass';
import { useRenewApprovals } from '../../app/waiting';
import { Dialogue } from '../../parts/Dialogue';
import { Failure, Loading } from '../../parts/states';
import styles from './AskDialog.module.css';

interface Props {
  kind: string;
  title: string;
  /** what it is about, where that is known already */
  subject: string;
  roles: Waiting['roles'];
  onClose: () => void;
  onDone: () => void;
}

/** Asks for an act that another person must approve. */
export function AskDialog({ title, ...rest }: Props) {
  return (
    <Dialogue opened onClose={rest.onClose} title={title} size="md">
      <Known {...rest} />
    </Dialogue>
  );
}

/** Looks up what the link to this dialog is about. */
function Known(props: Omit<Props, 'title'>) {
  const { data, error } = useQuery({
    queryKey: ['approvals', 'subject', props.kind, props.subject],
    queryFn: ({ signal }) => api.approvalSubjects(props.kind, { id: props.subject }, signal),
    enabled: props.subject !== '',
  });
  if (error) return <Failure error={error} />;
  if (props.subject && !data) return <Loading what="what this is about" />;
  const fixed = data?.items[0];
  if (props.subject && !fixed) return <p role="alert">What this is about does not exist any more, or cannot be changed.</p>;
  return <AskForm {...props} fixed={fixed} />;
}

function AskForm({ kind, roles, fixed, onClose, onDone }: Omit<Props, 'title'> & { fixed: ApprovalSubject | undefined }) {
  const renew = useRenewApprovals();
  const [subject, setSubject] = useState<ApprovalSubject | undefined>(fixed);
  const [role, setRole] = useState('');
  const [reason, setReason] = useState('');
  const forRole = kind === 'role.grant';
  const ask = useMutation({
    mutationFn: () => api.askApproval({ kind, subject: subject?.id ?? '', role: role || undefined, reason: reason.trim() }),
    onSuccess: () => { renew(); onDone(); },
  });
  const submit = (e: SyntheticEvent) => {
    e.preventDefault();
    ask.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        {fixed
          ? <p><strong>{fixed.name}</strong> <span className="dim">now: {fixed.was}</span></p>
          : <SubjectSelect kind={kind} chosen={subject} onChoose={setSubject} />}
        {forRole && (
          <NativeSelect label="New role" required value={role} onChange={(e) => setRole(e.currentTarget.value)}
            data={[{ value: '', label: 'Choose a role' }, ...roles.filter((r) => r.name !== subject?.was).map((r) => ({ value: r.role, label: r.name }))]} />
        )}
        <Textarea label="Why?" description={`Whoever approves it reads this, and it stays on record. At least ${reasonLeast} characters.`} required maxLength={1000} minRows={3} autosize
          value={reason} onChange={(e) => setReason(e.currentTarget.value)} />
        <p className="dim">Nothing changes until another person approves it. The request stands for 72 hours.</p>
        {ask.error && <Alert color="red" icon={<IconAlertCircle aria-hidden />} role="alert">{ask.error.message}</Alert>}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>Cancel</Button>
          <Button type="submit" loading={ask.isPending} disabled={!subject || (forRole && !role) || reason.trim().length < reasonLeast}>Ask</Button>
        </Group>
      </Stack>
    </form>
  );
}

function SubjectSelect({ kind, chosen, onChoose }: { kind: string; chosen: ApprovalSubject | undefined; onChoose: (s: ApprovalSubject | undefined) => void }) {
  const [text, setText] = useState('');
  const [wanted] = useDebouncedValue(text === chosen?.name ? '' : text, 250);
  const { data, isFetching } = useQuery({
    queryKey: ['approvals', 'subjects', kind, wanted],
    queryFn: ({ signal }) => api.approvalSubjects(kind, { text: wanted }, signal),
    placeholderData: keepPreviousData,
  });
  const items = data?.items ?? [];
  const listed = chosen && !items.some((s) => s.id === chosen.id) ? [chosen, ...items] : items;
  return (
    <Select label={kind === 'role.grant' ? 'Person' : 'Dock'} required searchable placeholder="Search by name" data-autofocus
      description={data?.more ? 'There are more than are listed: go on typing.' : undefined}
      nothingFoundMessage={isFetching ? 'Searching …' : 'Nothing found'} comboboxProps={{ withinPortal: false }} withScrollArea={false} classNames={{ options: styles.options }}
      value={chosen?.id ?? null} onChange={(id) => onChoose(listed.find((s) => s.id === id))}
      searchValue={text} onSearchChange={setText} filter={({ options }) => options}
      data={listed.map((s) => ({ value: s.id, label: s.name }))} />
  );
}
