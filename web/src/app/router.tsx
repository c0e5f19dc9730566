import { createBrowserRouter, Navigate } from 'react-router';
import { DocksPage } from '../pages/docks/DocksPage';
import { NotFoundPage } from '../pages/not-found/NotFoundPage';
import { RecordingPage } from '../pages/recording/RecordingPage';
import { RecordingsPage } from '../pages/recordings/RecordingsPage';
import { SignInPage } from '../pages/sign-in/SignInPage';
import { SystemPage } from '../pages/system/SystemPage';
import { Crash } from './Crash';
import { Allowed, Guard } from './Guard';
import { useMe } from './queries';
import { Shell } from './Shell';

/** The first page of the menu that this person may see. */
function Home() {
  const { can } = useMe();
  return <Navigate to={can.recordings ? '/recordings' : can.docks ? '/docks' : can.system ? '/system' : '/nothing-to-see'} replace />;
}

// embed.go answers exactly these paths with status 200; embed_test.go compares the two lists.
export const newRouter = () =>
  createBrowserRouter([
    {
      ErrorBoundary: Crash,
      HydrateFallback: () => null,
      children: [
        { path: '/sign-in', Component: SignInPage },
        {
          element: <Guard><Shell /></Guard>,
          children: [
            {
              ErrorBoundary: Crash,
              children: [
                { path: '/', Component: Home },
                { path: '/recordings', element: <Allowed to="recordings"><RecordingsPage /></Allowed> },
                { path: '/recordings/:id', element: <Allowed to="recordings"><RecordingPage /></Allowed> },
                { path: '/docks', element: <Allowed to="docks"><DocksPage /></Allowed> },
                { path: '/system', element: <Allowed to="system"><SystemPage /></Allowed> },
                { path: '*', Component: NotFoundPage },
              ],
            },
          ],
        },
      ],
    },
  ]);
