import { IconLock } from '@tabler/icons-react';
import { createBrowserRouter, Navigate } from 'react-router';
import { CasePage } from '../pages/cases/CasePage';
import { CasesPage } from '../pages/cases/CasesPage';
import { ApprovalsPage } from '../pages/approvals/ApprovalsPage';
import { AccountPage } from '../pages/account/AccountPage';
import { DocksPage } from '../pages/docks/DocksPage';
import { HoldsPage } from '../pages/holds/HoldsPage';
import { NotFoundPage } from '../pages/not-found/NotFoundPage';
import { PeoplePage } from '../pages/people/PeoplePage';
import { PersonPage } from '../pages/people/PersonPage';
import { RecordingPage } from '../pages/recording/RecordingPage';
import { RecordingsPage } from '../pages/recordings/RecordingsPage';
import { EnrolPage } from '../pages/sign-in/EnrolPage';
import { SignInPage } from '../pages/sign-in/SignInPage';
import { SystemPage } from '../pages/system/SystemPage';
import { TrailPage } from '../pages/trail/TrailPage';
import { UnitsPage } from '../pages/units/UnitsPage';
import { Notice } from '../parts/states';
import { Crash } from './Crash';
import { Allowed, Guard } from './Guard';
import { useMe } from './queries';
import { Shell } from './Shell';

/** The first page of the menu that this person may see. */
function Home() {
  const { can, roleName } = useMe();
  const to = can.recordings ? '/recordings' : can.auditFull ? '/trail' : can.docks ? '/docks' : can.system ? '/system' : can.approvals ? '/approvals' : '';
  if (to) return <Navigate to={to} replace />;
  return (
    <Notice icon={IconLock} title="Nothing here is open to you yet" page>
      Your role, {roleName}, has no page of Custos. Nothing is wrong with your account. If your work needs one, ask whoever looks after Custos in your force.
    </Notice>
  );
}

// embed.go answers exactly these paths with status 200; embed_test.go compares the two lists.
export const newRouter = () =>
  createBrowserRouter([
    {
      ErrorBoundary: Crash,
      HydrateFallback: () => null,
      children: [
        { path: '/sign-in', Component: SignInPage },
        { path: '/enrol', Component: EnrolPage },
        {
          element: <Guard><Shell /></Guard>,
          children: [
            {
              ErrorBoundary: Crash,
              children: [
                { path: '/', Component: Home },
                { path: '/recordings', element: <Allowed to="recordings"><RecordingsPage /></Allowed> },
                { path: '/recordings/:id', element: <Allowed to="recordings"><RecordingPage /></Allowed> },
                { path: '/cases', element: <Allowed to="cases"><CasesPage /></Allowed> },
                { path: '/cases/:id', element: <Allowed to="cases"><CasePage /></Allowed> },
                { path: '/trail', element: <Allowed to="auditFull"><TrailPage /></Allowed> },
                { path: '/docks', element: <Allowed to="docks"><DocksPage /></Allowed> },
                { path: '/people', element: <Allowed to="people"><PeoplePage /></Allowed> },
                { path: '/people/:id', element: <Allowed to="people"><PersonPage /></Allowed> },
                { path: '/units', element: <Allowed to="people"><UnitsPage /></Allowed> },
                { path: '/approvals', element: <Allowed to="approvals"><ApprovalsPage /></Allowed> },
                { path: '/system', element: <Allowed to="system"><SystemPage /></Allowed> },
                { path: '/holds', element: <Allowed to="holds"><HoldsPage /></Allowed> },
                { path: '/account', Component: AccountPage },
                { path: '*', Component: NotFoundPage },
              ],
            },
          ],
        },
      ],
    },
  ]);
