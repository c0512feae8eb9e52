import com.amazonaws.services.schemaregistry.common.Schema;
import com.amazonaws.services.schemaregistry.common.configs.GlueSchemaRegistryConfiguration;
import com.amazonaws.services.schemaregistry.deserializers.GlueSchemaRegistryDeserializer;
import com.amazonaws.services.schemaregistry.deserializers.GlueSchemaRegistryDeserializerImpl;
import com.amazonaws.services.schemaregistry.serializers.GlueSchemaRegistrySerializer;
import com.amazonaws.services.schemaregistry.serializers.GlueSchemaRegistrySerializerImpl;
import com.amazonaws.services.schemaregistry.utils.AWSSchemaRegistryConstants.COMPRESSION;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;

/** Reads every NAME.bin with AWS's de-serialiser, and frames the same payload with AWS's serialiser. */
public class GlueReadAndWrite {
  public static void main(String[] arguments) throws Exception {
    Path directory = Path.of(arguments[0]);
    String endpoint = arguments[1];
    AwsCredentialsProvider credentials =
        StaticCredentialsProvider.create(AwsBasicCredentials.create("AKIDSANDBOX", "secret"));
    GlueSchemaRegistryDeserializer reader =
        new GlueSchemaRegistryDeserializerImpl(credentials, configuration(endpoint, COMPRESSION.NONE));
    List<Path> vectors;
    try (Stream<Path> files = Files.list(directory)) {
      vectors = files.filter(file -> file.toString().endsWith(".bin")).sorted().collect(Collectors.toList());
    }
    for (Path vector : vectors) {
      String name = vector.getFileName().toString().replaceFirst("\\.bin$", "");
      byte[] data = Files.readAllBytes(vector);
      if (!reader.canDeserialize(data)) {
        throw new IllegalStateException(name + ": not recognised");
      }
      byte[] payload = reader.getData(data);
      Schema schema = reader.getSchema(data);
      Files.write(directory.resolve(name + ".read"), payload);
      Files.writeString(
          directory.resolve(name + ".schema"), schema.getDataFormat() + "\n" + schema.getSchemaDefinition());
      COMPRESSION compression = name.contains("zlib") ? COMPRESSION.ZLIB : COMPRESSION.NONE;
      GlueSchemaRegistrySerializer writer =
          new GlueSchemaRegistrySerializerImpl(credentials, configuration(endpoint, compression));
      // Another name, so that Java registers it itself.
      Schema own = new Schema(schema.getSchemaDefinition(), schema.getDataFormat(), "java-" + name);
      Files.write(directory.resolve(name + ".java.bin"), writer.encode("orders", own, payload));
    }
  }

  private static GlueSchemaRegistryConfiguration configuration(String endpoint, COMPRESSION compression) {
    GlueSchemaRegistryConfiguration configuration = new GlueSchemaRegistryConfiguration("us-east-1");
    configuration.setEndPoint(endpoint);
    configuration.setSchemaAutoRegistrationEnabled(true);
    configuration.setCompressionType(compression);
    return configuration;
  }
}
