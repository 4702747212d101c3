import { aWorkload } from '../builders.ts';
import { describeWorkloads } from '../contracts/workloads.ts';
import { FakeWorkloads } from './workloads.ts';

describeWorkloads('FakeWorkloads', async () => {
  const workloads = new FakeWorkloads();
  const slots = (images: Readonly<Record<string, string>>, init: boolean) =>
    Object.entries(images).map(([container, image]) => ({ container, init, image }));
  return {
    workloads,
    namespace: 'shop',
    create: async (name, images, initImages = {}) =>
      workloads.put(aWorkload({ name, slots: [...slots(images, false), ...slots(initImages, true)] })),
    annotate: async (workload, key, value) => {
      workloads.put({ ...workload, annotations: { ...workload.annotations, [key]: value } });
    },
    remove: async (workload) => workloads.remove(workload),
    templateAnnotations: async (workload) => workloads.templateAnnotations(workload),
    createCronJob: async (name, images) =>
      workloads.put(aWorkload({ kind: 'CronJob', apiVersion: 'batch/v1', name, slots: slots(images, false) })),
  };
});
