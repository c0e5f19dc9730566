import { Button, Tabs } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { IconChecks, IconInbox, IconShieldCheck, IconUserQuestion } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useSearchParams } from 'react-router';
import type { Waiting } from '../../api/types';
import { approvalsQuery, emergenciesQuery, waitingQuery } from '../../app/waiting';
import { Failure, Loading, Notice } from '../../parts/states';
import { useTitle } from '../../parts/title';
import styles from './ApprovalsPage.module.css';
import { AskDialog } from './AskDialog';
import { EmergencyCard } from './EmergencyCard';
import { RequestCard } from './RequestCard';

const asks: Record<string, string> = { 'role.grant': 'another role for somebody', 'dock.revoke': 'a dock’s key to be revoked' };

/** The lists that this person has, in the order of the tabs. */
export function lists(w: Waiting): { show: string; label: string; count: number }[] {
  return [
    { show: 'decide', label: 'To decide', count: w.decide, has: w.decides },
    { show: 'reviews', label: 'Emergency access', count: w.review, has: w.reviews },
    { show: 'mine', label: 'My requests', count: 0, has: w.ask.length > 0 },
    { show: 'done', label: 'Done', count: 0, has: w.decides || w.ask.length > 0 },
  ].filter((l) => l.has);
}

/** Requests for what two people must do, and emergency access that waits for its review. */
export function ApprovalsPage() {
  useTitle('Approvals');
  const [params, setParams] = useSearchParams();
  const { data, error, refetch, isFetching } = useQuery(waitingQuery);
  if (error && !data) return <Failure error={error} retry={() => void refetch()} busy={isFetching} page />;
  if (!data) return <Loading page what="the approvals" />;
  const shown = lists(data);
  const show = shown.find((l) => l.show === params.get('show'))?.show ?? shown[0]?.show ?? '';
  const kind = params.get('kind') ?? '';
  const asking = data.ask.find((a) => a.kind === kind);
  const open = (next: Record<string, string>) => setParams(next);
  return (
    <>
      <div className={styles.head}>
        <h1>Approvals</h1>
        {data.ask.length > 0 && (
          <div className={styles.asks}>
            <span className="dim">Ask for</span>
            {data.ask.map((a) => <Button key={a.kind} variant="default" size="sm" aria-label={`Ask for ${asks[a.kind] ?? a.title} …`} onClick={() => open({ show, kind: a.kind })}>{asks[a.kind] ?? a.title} …</Button>)}
          </div>
        )}
      </div>
      <Tabs value={show} onChange={(v) => v && open({ show: v })} keepMounted={false}>
        <Tabs.List aria-label="Approvals">
          {shown.map((l) => <Tabs.Tab key={l.show} value={l.show}>{l.label}{l.count > 0 && <span className={styles.count}>{l.count}</span>}</Tabs.Tab>)}
        </Tabs.List>
        {shown.map((l) => (
          <Tabs.Panel key={l.show} value={l.show} className={styles.panel}>
            {l.show === 'reviews' ? <Reviews /> : <><h2 className="hidden">{l.label}</h2><Requests show={l.show} /></>}
          </Tabs.Panel>
        ))}
      </Tabs>
      {asking && (
        <AskDialog kind={asking.kind} title={'Ask for ' + (asks[asking.kind] ?? asking.title)} subject={params.get('subject') ?? ''} roles={data.roles}
          onClose={() => open({ show })} onDone={() => open({ show: 'mine' })} />
      )}
    </>
  );
}

const empty: Record<string, [typeof IconInbox, string, string]> = {
  decide: [IconInbox, 'Nothing waits for you', 'When somebody asks for what needs a second person, it appears here.'],
  mine: [IconUserQuestion, 'You have asked for nothing', 'What you ask for stays here, with what became of it.'],
  done: [IconChecks, 'Nothing was decided yet', 'Requests that were approved, refused, withdrawn or that expired appear here.'],
};

function Requests({ show }: { show: string }) {
  const list = useInfiniteQuery(approvalsQuery(show));
  const [icon, title, words] = empty[show] ?? [IconInbox, 'Nothing here', ''];
  return (
    <List list={list} what="the requests" items={list.data?.pages.flatMap((p) => p.items)} none={<Notice icon={icon} title={title}>{words}</Notice>}
      card={(r) => <RequestCard key={r.id} request={r} />} />
  );
}

function Reviews() {
  const waiting = useInfiniteQuery(emergenciesQuery(true));
  const all = useInfiniteQuery(emergenciesQuery(false));
  return (
    <>
      <h2 className={styles.section}>To review</h2>
      <List list={waiting} what="the reviews" items={waiting.data?.pages.flatMap((p) => p.items)}
        none={<Notice icon={IconShieldCheck} title="No review waits">When somebody takes emergency access, you are told at once and it appears here.</Notice>}
        card={(e) => <EmergencyCard key={e.id} emergency={e} />} />
      <h2 className={styles.section}>Reviewed</h2>
      <List list={all} what="the reviews" items={all.data?.pages.flatMap((p) => p.items).filter((e) => e.reviewedBy)}
        none={<p className="dim">Nothing was reviewed yet.</p>} card={(e) => <EmergencyCard key={e.id} emergency={e} />} />
    </>
  );
}

interface ListProps<T> {
  list: { error: Error | null; isFetching: boolean; hasNextPage: boolean; isFetchingNextPage: boolean; refetch: () => unknown; fetchNextPage: () => unknown };
  items: T[] | undefined;
  what: string;
  none: ReactNode;
  card: (item: T) => ReactNode;
}

function List<T>({ list, items, what, none, card }: ListProps<T>) {
  if (list.error && !items) return <Failure error={list.error} retry={() => void list.refetch()} busy={list.isFetching} />;
  if (!items) return <Loading what={what} />;
  if (items.length === 0 && !list.hasNextPage) return none;
  return (
    <>
      <ul className={styles.cards}>{items.map(card)}</ul>
      {list.hasNextPage && <Button variant="default" mt="md" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>Show more</Button>}
    </>
  );
}
