import '@mantine/core/styles.css';
import './app/theme.css';
import { MantineProvider, localStorageColorSchemeManager } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { setNonce } from 'get-nonce';
import { createRoot } from 'react-dom/client';
import { RouterProvider } from 'react-router';
import { newQueryClient } from './app/queries';
import { newRouter } from './app/router';
import { theme, variables } from './app/theme';
import { installTrustedTypes } from './app/trusted-types';

installTrustedTypes();

// The browser hides the nonce from scripts' attributes but keeps it as a property.
const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '';
setNonce(nonce); // for the style that keeps the page still behind a dialogue
const root = document.getElementById('root');
if (!root) throw new Error('index.html has no root');

createRoot(root).render(
  <MantineProvider
    theme={theme}
    cssVariablesResolver={variables}
    defaultColorScheme="auto"
    colorSchemeManager={localStorageColorSchemeManager({ key: 'custos-theme' })}
    getStyleNonce={() => nonce}
  >
    <QueryClientProvider client={newQueryClient()}>
      <RouterProvider router={newRouter()} />
    </QueryClientProvider>
  </MantineProvider>,
);
