// Reads what kpl wrote with the KCL's own class, and writes the same records with the KCL's protobuf classes, tags
// included. The form of the files: see kpl/examples/third_party.rs.

import com.google.protobuf.ByteString;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import software.amazon.kinesis.retrieval.AggregatorUtil;
import software.amazon.kinesis.retrieval.KinesisClientRecord;
import software.amazon.kinesis.retrieval.kpl.Messages;

public class ReadAndWrite {
    static final BigInteger LAST_HASH_KEY = BigInteger.ONE.shiftLeft(128).subtract(BigInteger.ONE);

    static String hexadecimal(byte[] data) {
        return data.length == 0 ? "-" : HexFormat.of().formatHex(data);
    }

    static byte[] fromHexadecimal(String text) {
        return text.equals("-") ? new byte[0] : HexFormat.of().parseHex(text);
    }

    static String read(Path file) throws Exception {
        byte[] data = Files.readAllBytes(file);
        if (file.toString().endsWith("+gzip.bin")) {
            data = new GZIPInputStream(new ByteArrayInputStream(data)).readAllBytes();
        }
        KinesisClientRecord record = KinesisClientRecord.builder()
                .partitionKey("outer")
                .sequenceNumber("1")
                .data(ByteBuffer.wrap(data))
                .build();
        StringBuilder lines = new StringBuilder();
        // With a shard's range, as its worker does: the hash key of every member is looked at.
        for (KinesisClientRecord member :
                new AggregatorUtil().deaggregate(List.of(record), BigInteger.ZERO, LAST_HASH_KEY)) {
            byte[] memberData = new byte[member.data().remaining()];
            member.data().duplicate().get(memberData);
            String hashKey = member.explicitHashKey() == null ? "-" : member.explicitHashKey();
            lines.append(hexadecimal(member.partitionKey().getBytes(StandardCharsets.UTF_8)))
                    .append(' ')
                    .append(hashKey)
                    .append(' ')
                    .append(hexadecimal(memberData))
                    .append('\n');
        }
        return lines.toString();
    }

    static int index(Map<String, Integer> table, String key) {
        return table.computeIfAbsent(key, unused -> table.size());
    }

    static byte[] write(List<String> records, boolean withTags) throws Exception {
        Map<String, Integer> keys = new LinkedHashMap<>();
        Map<String, Integer> hashKeys = new LinkedHashMap<>();
        Messages.AggregatedRecord.Builder message = Messages.AggregatedRecord.newBuilder();
        for (String line : records) {
            String[] parts = line.split(" ");
            String key = new String(fromHexadecimal(parts[0]), StandardCharsets.UTF_8);
            Messages.Record.Builder record = Messages.Record.newBuilder()
                    .setPartitionKeyIndex(index(keys, key))
                    .setData(ByteString.copyFrom(fromHexadecimal(parts[2])));
            if (!parts[1].equals("-")) {
                record.setExplicitHashKeyIndex(index(hashKeys, parts[1]));
            }
            if (withTags) {
                record.addTags(Messages.Tag.newBuilder().setKey("other"));
                record.addTags(Messages.Tag.newBuilder().setKey("kpl.id").setValue("id"));
            }
            message.addRecords(record);
        }
        message.addAllPartitionKeyTable(keys.keySet()).addAllExplicitHashKeyTable(hashKeys.keySet());
        byte[] body = message.build().toByteArray();
        ByteArrayOutputStream data = new ByteArrayOutputStream();
        data.write(HexFormat.of().parseHex("f3899ac2"));
        data.write(body);
        data.write(MessageDigest.getInstance("MD5").digest(body));
        return data.toByteArray();
    }

    public static void main(String[] arguments) throws Exception {
        Path directory = Path.of(arguments[0]);
        List<Path> vectors = new ArrayList<>();
        try (var files = Files.newDirectoryStream(directory, "*.records")) {
            files.forEach(vectors::add);
        }
        for (Path records : vectors) {
            String file = records.getFileName().toString();
            String name = file.substring(0, file.length() - ".records".length());
            Files.writeString(directory.resolve(name + ".kcl.read"), read(directory.resolve(name + ".bin")));
            if (!name.startsWith("plain") && !name.endsWith("+gzip")) {
                Files.write(directory.resolve(name + ".kcl.bin"), write(Files.readAllLines(records), name.contains("+ids")));
            }
        }
    }
}
