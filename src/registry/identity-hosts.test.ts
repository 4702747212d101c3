import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cloudOf } from './identity-hosts.ts';

const ecr = [
  // host, API, STS
  ['123456789012.dkr.ecr.eu-west-1.amazonaws.com', 'api.ecr.eu-west-1.amazonaws.com', 'sts.eu-west-1.amazonaws.com'],
  ['123456789012.dkr.ecr.us-gov-west-1.amazonaws.com', 'api.ecr.us-gov-west-1.amazonaws.com', 'sts.us-gov-west-1.amazonaws.com'],
  ['123456789012.dkr.ecr-fips.us-east-1.amazonaws.com', 'ecr-fips.us-east-1.amazonaws.com', 'sts.us-east-1.amazonaws.com'],
  ['123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn', 'api.ecr.cn-north-1.amazonaws.com.cn', 'sts.cn-north-1.amazonaws.com.cn'],
  ['123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu', 'api.ecr.eusc-de-east-1.amazonaws.eu', 'sts.eusc-de-east-1.amazonaws.eu'],
  ['123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov', 'api.ecr.us-iso-east-1.c2s.ic.gov', 'sts.us-iso-east-1.c2s.ic.gov'],
  ['123456789012.dkr-ecr.us-west-2.on.aws', 'ecr.us-west-2.api.aws', 'sts.us-west-2.api.aws'],
  ['123456789012.dkr-ecr-fips.us-west-2.on.aws', 'ecr-fips.us-west-2.api.aws', 'sts.us-west-2.api.aws'],
  ['123456789012.DKR.ECR.eu-west-1.amazonaws.com:443', 'api.ecr.eu-west-1.amazonaws.com', 'sts.eu-west-1.amazonaws.com'],
  ['public.ecr.aws', 'api.ecr-public.us-east-1.amazonaws.com', 'sts.us-east-1.amazonaws.com'],
] as const;

const others = [
  // host, cloud
  ['europe-docker.pkg.dev', 'Google'],
  ['us-central1-docker.pkg.dev', 'Google'],
  ['gcr.io', 'Google'],
  ['eu.gcr.io', 'Google'],
  ['acme.azurecr.io', 'Azure'],
  ['acme.azurecr.cn', 'Azure'],
  ['acme.azurecr.us', 'Azure'],
  ['acme.azurecr.de', 'Azure'],
  // Names that only look so: `s3` is no region, and everybody may have a bucket.
  ['123456789012.dkr.ecr.s3.amazonaws.com', undefined],
  ['123456789012.dkr.ecr.eu-west-1.elb.amazonaws.com', undefined],
  ['123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.test', undefined],
  ['123456789012.dkr.ecr.eu-west-1.on.aws', undefined],
  ['123456789012.dkr-ecr.eu-west-1.amazonaws.com', undefined],
  ['evil.dkr.ecr.eu-west-1.amazonaws.com', undefined],
  ['123456789012.dkr.ecr.eu-west-1.amazonaws.com:8443', undefined],
  ['evilgcr.io', undefined],
  ['gcr.io.evil.test', undefined],
  ['a.b.azurecr.io', undefined],
  ['azurecr.io', undefined],
  ['pkg.dev', undefined],
  ['docker.io', undefined],
  ['constructor', undefined],
] as const;

describe('registry/identity-hosts', () => {
  for (const [host, api, sts] of ecr) {
    it(`${host} has its API at ${api}`, () => {
      const found = cloudOf(host);
      assert.ok(found?.cloud === 'AWS');
      assert.deepEqual([found.api, found.sts], [api, sts]);
      assert.ok(found.api.includes(found.region));
    });
  }

  for (const [host, cloud] of others) {
    it(`${host} is of ${cloud ?? 'no cloud'}`, () => assert.equal(cloudOf(host)?.cloud, cloud));
  }
});
