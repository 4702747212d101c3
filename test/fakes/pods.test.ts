import { createHash } from 'node:crypto';
import { aWorkload } from '../builders.ts';
import { describePods } from '../contracts/pods.ts';
import { FakePods } from './pods.ts';

describePods('FakePods', async () => {
  const pods = new FakePods();
  const digestOf = (image: string) => `sha256:${createHash('sha256').update(image).digest('hex')}`;
  const slots = (images: Readonly<Record<string, string>>, init: boolean) =>
    Object.entries(images).map(([container, image]) => ({ container, init, image }));
  return {
    pods,
    digestOf,
    images: ['nginx:1.25', 'busybox:1'],
    run: async (kind, name, images, initImages = {}) => {
      const workload = aWorkload({ kind, name, uid: `uid-${name}`, slots: [...slots(images, false), ...slots(initImages, true)] });
      pods.rollOut(workload, digestOf, { pods: 2 });
      return workload;
    },
    createCronJob: async (name) => aWorkload({ kind: 'CronJob', apiVersion: 'batch/v1', name }),
    remove: async (workload) => pods.remove(workload),
  };
});
