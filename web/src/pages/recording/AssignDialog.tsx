import { Checkbox, Textarea, TextInput } from '@mantine/core';
import { useState } from 'react';
import { api } from '../../api/client';
import type { Detail } from '../../api/types';
import { personName } from '../../words/names';
import { ChangeDialog, ChangeForm } from './ChangeDialog';

interface Props {
  detail: Detail;
  onClose: () => void;
}

/** Says whose footage a recording is. */
export function AssignDialog({ detail, onClose }: Props) {
  const { owner } = detail.kept;
  const [person, setPerson] = useState('');
  const [nobody, setNobody] = useState(false);
  const [reason, setReason] = useState('');
  const [lacking, setLacking] = useState(false);
  const noPerson = !nobody && !person.trim();
  const noReason = !reason.trim();
  const before = owner && ` It is no longer ${personName(owner)}’s own.`;
  return (
    <ChangeDialog title="Whose footage is this?" onClose={onClose}>
      <ChangeForm
        recording={detail.id}
        does={nobody ? 'Make it nobody’s' : 'Assign'}
        effect={nobody
          ? <>Nobody has it as their own footage, nor has their unit, until it is assigned again.{before}</>
          : <>It becomes that person’s own footage: they may watch it, and so may those who led their unit when it was made.{before}</>}
        ready={!noPerson && !noReason}
        missing={() => setLacking(true)}
        change={() => api.assign(detail.id, { person: nobody ? '' : person.trim(), reason: reason.trim() })}
        onClose={onClose}
      >
        <TextInput label="Person" description="Collar number or sign-in name" value={nobody ? '' : person} disabled={nobody} data-autofocus autoComplete="off" spellCheck={false} maxLength={64}
          error={lacking && noPerson ? 'Say whose footage it is.' : undefined} errorProps={{ role: 'alert' }} onChange={(e) => setPerson(e.currentTarget.value)} />
        {owner && <Checkbox label="Nobody’s: take the owner off" checked={nobody} onChange={(e) => setNobody(e.currentTarget.checked)} />}
        <Textarea label="Reason" description="How it is known whose footage this is" value={reason} rows={2} maxLength={1000}
          error={lacking && noReason ? 'Say how it is known.' : undefined} errorProps={{ role: 'alert' }} onChange={(e) => setReason(e.currentTarget.value)} />
      </ChangeForm>
    </ChangeDialog>
  );
}
