/** Why somebody watches a recording, as the force's list has it. */
export const purposes = [
  { code: 'review', name: 'Evidence review', reference: 'Case or incident number' },
  { code: 'case', name: 'Case preparation', reference: 'Case number' },
  { code: 'supervision', name: 'Supervision sample', reference: 'Sample or review number' },
  { code: 'complaint', name: 'Complaint', reference: 'Complaint number' },
  { code: 'technical', name: 'Technical check', reference: 'Service desk number' },
] as const;

export const purposeName = (code: string): string => purposes.find((p) => p.code === code)?.name ?? code;
