import { aWorkload } from '../builders.ts';
import { describeUpdateRequests } from '../contracts/update-requests.ts';
import { FakeUpdateRequests } from './update-requests.ts';

describeUpdateRequests('FakeUpdateRequests', async () => {
  const requests = new FakeUpdateRequests();
  return {
    requests,
    owner: aWorkload(),
    setPhase: async (request, phase) => void requests.put({ ...request, status: { ...request.status, phase } }),
    remove: async ({ metadata }) => requests.remove(metadata.namespace, metadata.name),
  };
});
