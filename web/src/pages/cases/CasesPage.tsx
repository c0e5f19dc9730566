import { Button, Checkbox, NativeSelect, SegmentedControl, TextInput } from '@mantine/core';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { IconCheck, IconFolder, IconFolderOpen, IconLock, IconPlus, IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { api, type CasesFilter } from '../../api/client';
import type { CaseKind } from '../../api/types';
import { useMe } from '../../app/queries';
import { Badge } from '../../parts/badges';
import { Form } from '../../parts/Form';
import styles from '../../parts/Register.module.css';
import { useRested } from '../../parts/rested';
import { Failure, Loading, Notice } from '../../parts/states';
import { useTitle } from '../../parts/title';
import { known, day } from '../../words/time';

/** The register of cases and incidents. */
export function CasesPage() {
  useTitle('Cases');
  const { can } = useMe();
  const [filter, setFilter] = useState({ text: '', state: 'open', kind: '', mine: false });
  const [adding, setAdding] = useState(false);
  const asked: CasesFilter = { text: useRested(filter.text), state: filter.state, kind: filter.kind, mine: filter.mine ? 'true' : '' };
  const { data, error, refetch, isFetching, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ['cases', 'list', asked],
    queryFn: ({ pageParam, signal }) => api.cases(asked, pageParam, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next || undefined,
    placeholderData: keepPreviousData,
  });
  if (error && !data) return <Failure error={error} retry={() => void refetch()} busy={isFetching} page />;
  if (!data) return <Loading page what="the register" />;
  const cases = data.pages.flatMap((p) => p.cases);
  const set = (change: Partial<typeof filter>) => setFilter((f) => ({ ...f, ...change }));
  return (
    <>
      <div className={styles.head}>
        <div className={styles.titles}><h1>Cases</h1><p>Cases and incidents that a look at footage can be for</p></div>
        {can.addCases && <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setAdding(true)}>Enter a case</Button>}
      </div>
      <form className={styles.filter} role="search" aria-label="Cases" onSubmit={(e) => e.preventDefault()}>
        <TextInput label="Search" placeholder="Number or title" leftSection={<IconSearch size={15} aria-hidden />} value={filter.text} maxLength={100} spellCheck={false} onChange={(e) => set({ text: e.currentTarget.value })} />
        <NativeSelect label="State" value={filter.state} onChange={(e) => set({ state: e.currentTarget.value })} data={[{ value: 'open', label: 'Open' }, { value: 'closed', label: 'Closed' }, { value: '', label: 'Open and closed' }]} />
        <NativeSelect label="Kind" value={filter.kind} onChange={(e) => set({ kind: e.currentTarget.value })} data={[{ value: '', label: 'Cases and incidents' }, { value: 'case', label: 'Cases' }, { value: 'incident', label: 'Incidents' }]} />
        <div className={styles.check}><Checkbox label="Only mine" checked={filter.mine} onChange={(e) => set({ mine: e.currentTarget.checked })} /></div>
      </form>
      {cases.length === 0 ? (
        <Notice icon={IconFolder} title="No case fits">{can.addCases ? 'Look for another number, or enter the case.' : 'Look for another number, or ask an investigator to enter the case.'}</Notice>
      ) : (
        <div className={styles.scroll} tabIndex={0} role="region" aria-label="List of cases">
          <table className={styles.table}>
            <thead><tr><th scope="col">Number</th><th scope="col">Title</th><th scope="col">State</th><th scope="col">Entered</th></tr></thead>
            <tbody>
              {cases.map((c) => (
                <tr key={c.id}>
                  <td><Link to={`/cases/${c.id}`}>{c.number}</Link><span className={styles.small}>{c.kind === 'case' ? 'Case' : 'Incident'}</span></td>
                  <td>{c.known ? c.title : <span className="dim"><IconLock size={13} aria-hidden /> For its members</span>}</td>
                  <td>{known(c.closedAt) ? <Badge tone="plain" icon={IconCheck}>Closed</Badge> : <Badge tone="good" icon={IconFolderOpen}>Open</Badge>}</td>
                  <td>{day(c.openedAt)}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {hasNextPage && <div className={styles.foot}><Button variant="default" loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>Show more</Button></div>}
        </div>
      )}
      {adding && <Add onClose={() => setAdding(false)} />}
    </>
  );
}

function Add({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const [c, setC] = useState<{ number: string; kind: CaseKind; title: string }>({ number: '', kind: 'case', title: '' });
  return (
    <Form opened onClose={onClose} title="Enter a case or incident" action="Enter" ready={c.number.trim() !== '' && c.title.trim() !== ''} send={() => api.addCase(c)}
      changes={[['cases']]} onDone={(id) => void navigate(`/cases/${String(id)}`)} note="You become its first member.">
      <SegmentedControl aria-label="Kind" value={c.kind} onChange={(kind) => setC((old) => ({ ...old, kind: kind === 'incident' ? 'incident' : 'case' }))} data={[{ value: 'case', label: 'Case' }, { value: 'incident', label: 'Incident' }]} />
      <TextInput label="Number" description="As in your records system, for example 42AB/8812/26" value={c.number} maxLength={40} required data-autofocus autoComplete="off" spellCheck={false} onChange={(e) => { const number = e.currentTarget.value; setC((old) => ({ ...old, number })); }} />
      <TextInput label="Title" description="Read by its members only" value={c.title} maxLength={200} required autoComplete="off" onChange={(e) => { const title = e.currentTarget.value; setC((old) => ({ ...old, title })); }} />
    </Form>
  );
}
