/** Addresses of the private infrastructure that the test runner starts. */
export interface TestEnvironment {
  /** Of one who may do everything. */
  readonly databaseUrl: string;
  /** By role of the database. */
  readonly databasePasswords: Readonly<Record<string, string>>;
  readonly redisUrl: string;
  readonly natsUrl: string;
  readonly mqttUrl: string;
}

/** Fails with a clear line, and never skips, where the infrastructure is missing. */
export function testEnvironment(): TestEnvironment {
  const read = (name: string): string => {
    const value = process.env[name];
    if (value === undefined || value === '') {
      throw new Error(`${name} is not set: this suite needs real services. Run it by \`npm test\`.`);
    }
    return value;
  };
  return {
    databaseUrl: read('AERIE_TEST_DATABASE_URL'),
    databasePasswords: JSON.parse(read('AERIE_TEST_DATABASE_PASSWORDS')) as Record<string, string>,
    redisUrl: read('AERIE_TEST_REDIS_URL'),
    natsUrl: read('AERIE_TEST_NATS_URL'),
    mqttUrl: read('AERIE_TEST_MQTT_URL'),
  };
}
