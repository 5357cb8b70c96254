// This file breaks the rules on purpose. expect-violations.mjs fails when the linter does not notice.
// The project is tagged type:core, so each of these imports is forbidden.
import '@aerie/persistence';
import '@aerie/dock-simulator';
import 'pg';
