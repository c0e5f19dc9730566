import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, type ReactNode } from 'react';
import { Navigate, useLocation } from 'react-router';
import type { Me } from '../api/types';
import { Failure, Loading, Notice } from '../parts/states';
import { IconLock } from '@tabler/icons-react';
import { LiveProvider } from './live';
import { StepUp } from './StepUp';
import { Enrolling } from '../pages/account/Enrolling';
import { meQuery, useMe } from './queries';

/** Shows its children to somebody who is signed in; anybody else goes to the sign-in page and comes back from there. */
export function Guard({ children }: { children: ReactNode }) {
  const { data, error, refetch, isFetching } = useQuery(meQuery);
  const { pathname, search } = useLocation();
  const client = useQueryClient();
  // A page may have all it shows in memory: whoever opens one must still be signed in.
  const first = useRef(true);
  useEffect(() => {
    if (first.current) first.current = false;
    else void client.invalidateQueries({ queryKey: meQuery.queryKey });
  }, [client, pathname]);
  if (data === null) {
    const back = pathname + search;
    return <Navigate to={'/sign-in' + (back === '/' ? '' : `?to=${encodeURIComponent(back)}`)} replace />;
  }
  // Whoever is just setting up how they sign in sees that and nothing else.
  if (data?.enrolling) return <Enrolling me={data} />;
  if (data) return <LiveProvider>{children}<StepUp /></LiveProvider>;
  if (error) return <Failure error={error} retry={() => void refetch()} busy={isFetching} page />;
  return <Loading page what="Custos" />;
}

/** Shows a page only where the server said that this person may see it. */
export function Allowed({ to, children }: { to: keyof Me['can']; children: ReactNode }) {
  const me = useMe();
  if (me.can[to]) return children;
  return (
    <Notice icon={IconLock} title="This page is not open to you" page>
      Your role, {me.roleName}, does not include it. Nothing is wrong with the page or your account. If your work needs it, ask
      whoever looks after Custos in your force.
    </Notice>
  );
}
