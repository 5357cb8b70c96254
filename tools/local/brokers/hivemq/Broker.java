import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.hivemq.embedded.EmbeddedExtension;
import com.hivemq.embedded.EmbeddedHiveMQ;
import com.hivemq.extension.sdk.api.ExtensionMain;
import com.hivemq.extension.sdk.api.auth.PublishAuthorizer;
import com.hivemq.extension.sdk.api.auth.SimpleAuthenticator;
import com.hivemq.extension.sdk.api.auth.SubscriptionAuthorizer;
import com.hivemq.extension.sdk.api.auth.parameter.PublishAuthorizerInput;
import com.hivemq.extension.sdk.api.auth.parameter.PublishAuthorizerOutput;
import com.hivemq.extension.sdk.api.auth.parameter.SimpleAuthInput;
import com.hivemq.extension.sdk.api.auth.parameter.SimpleAuthOutput;
import com.hivemq.extension.sdk.api.auth.parameter.SubscriptionAuthorizerInput;
import com.hivemq.extension.sdk.api.auth.parameter.SubscriptionAuthorizerOutput;
import com.hivemq.extension.sdk.api.client.parameter.ConnectionInformation;
import com.hivemq.extension.sdk.api.interceptor.publish.PublishInboundInterceptor;
import com.hivemq.extension.sdk.api.interceptor.publish.parameter.PublishInboundInput;
import com.hivemq.extension.sdk.api.interceptor.publish.parameter.PublishInboundOutput;
import com.hivemq.extension.sdk.api.packets.publish.AckReasonCode;
import com.hivemq.extension.sdk.api.parameter.ExtensionStartInput;
import com.hivemq.extension.sdk.api.parameter.ExtensionStartOutput;
import com.hivemq.extension.sdk.api.parameter.ExtensionStopInput;
import com.hivemq.extension.sdk.api.parameter.ExtensionStopOutput;
import com.hivemq.extension.sdk.api.services.Services;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * HiveMQ Community Edition, set up as k8s/README.md says for a broker that asks. Our own programs come in by the inner
 * listener, with users and rules of a file; docks by the other, and fleet-service is asked over HTTP about each of them.
 * Refused is all that nobody allows. Its one argument is a file of JSON; tools/local/src/infrastructure/other-broker.ts
 * writes it.
 */
public final class Broker {
  /** As `authorization.cache.ttl` in k8s/README.md. */
  private static final long CACHE_MS = 10_000;
  private static final Duration ANSWER_WITHIN = Duration.ofSeconds(5);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final HttpClient HTTP = HttpClient.newHttpClient();

  private static JsonNode settings;

  private record Answer(boolean allowed, long atMs) {}

  public static void main(final String[] args) throws Exception {
    settings = JSON.readTree(Path.of(args[0]).toFile());
    final Path folder = Path.of(settings.get("folder").asText());
    final Path configuration = Files.createDirectories(folder.resolve("conf"));
    Files.writeString(configuration.resolve("config.xml"), configuration());
    final EmbeddedExtension asks = EmbeddedExtension.builder()
        .withId("aerie-asks")
        .withName("Asks fleet-service")
        .withVersion("1")
        .withExtensionMain(new Asks())
        .build();
    final EmbeddedHiveMQ broker = EmbeddedHiveMQ.builder()
        .withConfigurationFolder(configuration)
        .withDataFolder(Files.createDirectories(folder.resolve("data")))
        .withExtensionsFolder(Files.createDirectories(folder.resolve("extensions")))
        .withEmbeddedExtension(asks)
        .build();
    broker.start().join();
    System.out.println("ready");
  }

  /** What mosquitto has in libs/server-settings, in this broker's words. */
  private static String configuration() {
    return """
        <?xml version="1.0" encoding="UTF-8" ?>
        <hivemq>
          <listeners>
            <tcp-listener><port>%d</port><bind-address>127.0.0.1</bind-address><name>inner</name></tcp-listener>
            <tcp-listener><port>%d</port><bind-address>127.0.0.1</bind-address><name>docks</name></tcp-listener>
          </listeners>
          <mqtt>
            <queued-messages><max-queue-size>%d</max-queue-size><strategy>discard</strategy></queued-messages>
            <receive-maximum><server-receive-maximum>500</server-receive-maximum></receive-maximum>
            <packets><max-packet-size>1048576</max-packet-size></packets>
          </mqtt>
          <anonymous-usage-statistics><enabled>false</enabled></anonymous-usage-statistics>
        </hivemq>
        """.formatted(settings.get("innerPort").asInt(), settings.get("docksPort").asInt(),
        settings.get("queue").asInt());
  }

  private static boolean isDock(final ConnectionInformation connection) {
    return connection.getListener().map(listener -> listener.getName().equals("docks")).orElse(true);
  }

  private static boolean ask(final String path, final Map<String, String> question) {
    try {
      final HttpRequest request = HttpRequest.newBuilder(URI.create(settings.get("askUrl").asText() + path))
          .timeout(ANSWER_WITHIN)
          .header("content-type", "application/json")
          .header("authorization", "Bearer " + settings.get("secret").asText())
          .POST(HttpRequest.BodyPublishers.ofString(JSON.writeValueAsString(question)))
          .build();
      final HttpResponse<String> response = HTTP.send(request, HttpResponse.BodyHandlers.ofString());
      return response.statusCode() == 200 && JSON.readTree(response.body()).path("result").asText().equals("allow");
    } catch (final Exception error) {
      System.out.println("no answer of fleet-service: " + error);
      return false;
    }
  }

  private static final class Asks implements ExtensionMain {
    @Override
    public void extensionStart(final ExtensionStartInput input, final ExtensionStartOutput output) {
      // As `use_username_as_clientid` of mosquitto: before anybody is asked, and before a session is looked for.
      Services.interceptorRegistry().setConnectInboundInterceptorProvider(provider -> (connect, changed) -> {
        if (!isDock(connect.getConnectionInformation())) return;
        connect.getConnectPacket().getUserName().filter(name -> !name.isEmpty())
            .ifPresent(name -> changed.getConnectPacket().setClientId(name));
      });
      Services.securityRegistry().setAuthenticatorProvider(provider -> new Authentication());
      // What a client was answered is forgotten with its connection.
      Services.securityRegistry().setAuthorizerProvider(provider -> new Authorization());
      Services.initializerRegistry().setClientInitializer((client, context) ->
          context.addPublishInboundInterceptor(new Authorization()));
    }

    @Override
    public void extensionStop(final ExtensionStopInput input, final ExtensionStopOutput output) {}
  }

  private static final class Authentication implements SimpleAuthenticator {
    @Override
    public void onConnect(final SimpleAuthInput input, final SimpleAuthOutput output) {
      final String username = input.getConnectPacket().getUserName().orElse("");
      final String password = input.getConnectPacket().getPassword()
          .map(bytes -> StandardCharsets.UTF_8.decode(bytes.asReadOnlyBuffer()).toString()).orElse("");
      final boolean isKnown = isDock(input.getConnectionInformation())
          ? ask("/broker/v1/authentication",
              Map.of("username", username, "clientid", input.getClientInformation().getClientId(), "password", password))
          : settings.path("users").path(username).path("password").asText("").equals(password) && !password.isEmpty();
      if (isKnown) {
        input.getConnectionInformation().getConnectionAttributeStore().putAsString("username", username);
        output.authenticateSuccessfully();
      } else {
        output.failAuthentication();
      }
    }
  }

  private static final class Authorization
      implements PublishInboundInterceptor, PublishAuthorizer, SubscriptionAuthorizer {
    private final Map<String, Answer> answers = new ConcurrentHashMap<>();

    /** Refused and acknowledged, as `authorization.deny_action = ignore` of EMQX: the connection stays. */
    @Override
    public void onInboundPublish(final PublishInboundInput input, final PublishInboundOutput output) {
      if (may(input.getConnectionInformation(), "publish", input.getPublishPacket().getTopic())) return;
      output.preventPublishDelivery(AckReasonCode.NOT_AUTHORIZED);
    }

    /** Wills come here alone. */
    @Override
    public void authorizePublish(final PublishAuthorizerInput input, final PublishAuthorizerOutput output) {
      final String topic = input.getPublishPacket().getTopic();
      if (may(input.getConnectionInformation(), "publish", topic)) output.authorizeSuccessfully();
      else output.disconnectClient();
    }

    @Override
    public void authorizeSubscribe(final SubscriptionAuthorizerInput input, final SubscriptionAuthorizerOutput output) {
      final String filter = input.getSubscription().getTopicFilter();
      if (may(input.getConnectionInformation(), "subscribe", filter)) output.authorizeSuccessfully();
      else output.failAuthorization();
    }

    private boolean may(final ConnectionInformation connection, final String action, final String topic) {
      final String username = connection.getConnectionAttributeStore().getAsString("username").orElse("");
      if (!isDock(connection)) return isOurs(username, action, topic);
      final Answer known = answers.get(action + " " + topic);
      final long nowMs = System.currentTimeMillis();
      if (known != null && nowMs - known.atMs < CACHE_MS) return known.allowed;
      final boolean allowed =
          ask("/broker/v1/authorization", Map.of("username", username, "action", action, "topic", topic));
      answers.put(action + " " + topic, new Answer(allowed, nowMs));
      return allowed;
    }
  }

  /** The rules of libs/server-settings: of those that fit, the one with the highest priority, of equals the first. */
  private static boolean isOurs(final String username, final String action, final String topic) {
    JsonNode best = null;
    for (final JsonNode rule : settings.path("users").path(username).path("acls")) {
      if (!fits(rule, action, topic)) continue;
      if (best == null || rule.path("priority").asInt(0) > best.path("priority").asInt(0)) best = rule;
    }
    return best != null && best.get("allow").asBoolean();
  }

  private static boolean fits(final JsonNode rule, final String action, final String topic) {
    final String ruled = rule.get("topic").asText();
    return switch (rule.get("acltype").asText()) {
      case "publishClientSend" -> action.equals("publish") && covers(ruled, topic);
      case "subscribeLiteral" -> action.equals("subscribe") && ruled.equals(topic);
      case "subscribePattern" -> action.equals("subscribe") && covers(ruled, topic);
      default -> false;
    };
  }

  private static boolean covers(final String filter, final String topic) {
    final String[] wanted = filter.split("/", -1);
    final String[] levels = topic.split("/", -1);
    for (int index = 0; index < wanted.length; index++) {
      if (wanted[index].equals("#")) return true;
      if (index >= levels.length) return false;
      if (!wanted[index].equals("+") && !wanted[index].equals(levels[index])) return false;
    }
    return wanted.length == levels.length;
  }
}
