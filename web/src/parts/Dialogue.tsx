import { Modal } from '@mantine/core';
import type { ReactNode } from 'react';
import styles from './Dialogue.module.css';

interface Props {
  opened: boolean;
  onClose: () => void;
  title: string;
  size: 'md' | 'lg';
  children: ReactNode;
}

/** A window over the page that must be answered or closed first. */
export function Dialogue({ opened, onClose, title, size, children }: Props) {
  return (
    <Modal.Root opened={opened} onClose={onClose} size={size} centered classNames={{ content: styles.content }}>
      <Modal.Overlay backgroundOpacity={0.6} blur={2} />
      <Modal.Content>
        <div className={styles.head}>
          <Modal.Title component="h2">{title}</Modal.Title>
          <Modal.CloseButton aria-label="Close" />
        </div>
        <Modal.Body>{children}</Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}
