// Applications of the Kinesis Client Library that write down every record they are given, one line each:
//     SHARD SEQUENCE-NUMBER SUB-SEQUENCE-NUMBER DATA
//
// Consume KINESIS-ENDPOINT DYNAMODB-ENDPOINT STREAM WORKER MODE:APPLICATION:FILE...
// MODE is polling or fanout. The program runs until its standard input ends, or one of the applications.

import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.kinesis.common.ConfigsBuilder;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.common.KinesisClientUtil;
import software.amazon.kinesis.coordinator.EagerScheduler;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.exceptions.InvalidStateException;
import software.amazon.kinesis.exceptions.ShutdownException;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ProcessRecordsInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.lifecycle.events.ShutdownRequestedInput;
import software.amazon.kinesis.processor.RecordProcessorCheckpointer;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.retrieval.KinesisClientRecord;
import software.amazon.kinesis.retrieval.RetrievalSpecificConfig;
import software.amazon.kinesis.retrieval.fanout.FanOutConfig;
import software.amazon.kinesis.retrieval.polling.PollingConfig;

public class Consume {
    static final long FAILOVER_MILLIS = 3000;

    static <B extends AwsClientBuilder<B, C>, C> B local(B builder, String endpoint) {
        return builder.endpointOverride(URI.create(endpoint))
                .region(Region.US_EAST_1)
                .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("test", "test")));
    }

    /** Writes down what one shard holds. */
    static class Processor implements ShardRecordProcessor {
        private final Writer out;
        private String shard;

        Processor(Writer out) {
            this.out = out;
        }

        @Override
        public void initialize(InitializationInput input) {
            shard = input.shardId();
        }

        @Override
        public void processRecords(ProcessRecordsInput input) {
            StringBuilder lines = new StringBuilder();
            for (KinesisClientRecord record : input.records()) {
                lines.append(shard).append(' ').append(record.sequenceNumber()).append(' ')
                        .append(record.subSequenceNumber()).append(' ')
                        .append(StandardCharsets.UTF_8.decode(record.data().duplicate()).toString().strip())
                        .append('\n');
            }
            synchronized (out) {
                try {
                    out.append(lines).flush();
                } catch (IOException error) {
                    throw new UncheckedIOException(error);
                }
            }
            checkpoint(input.checkpointer());
        }

        @Override
        public void shardEnded(ShardEndedInput input) {
            checkpoint(input.checkpointer());
        }

        @Override
        public void leaseLost(LeaseLostInput input) {}

        @Override
        public void shutdownRequested(ShutdownRequestedInput input) {
            checkpoint(input.checkpointer());
        }

        private static void checkpoint(RecordProcessorCheckpointer checkpointer) {
            try {
                checkpointer.checkpoint();
            } catch (ShutdownException lost) {
                // Another worker has the lease and goes on from the last checkpoint.
            } catch (InvalidStateException error) {
                throw new IllegalStateException(error);
            }
        }
    }

    static RetrievalSpecificConfig retrieval(String mode, String stream, String application, KinesisAsyncClient kinesis) {
        return switch (mode) {
            case "polling" -> new PollingConfig(stream, kinesis).idleTimeBetweenReadsInMillis(200);
            case "fanout" -> new FanOutConfig(kinesis).streamName(stream).applicationName(application);
            default -> throw new IllegalArgumentException("polling or fanout, not " + mode);
        };
    }

    static Scheduler scheduler(String endpoint, String dynamo, String stream, String worker, String wanted)
            throws IOException {
        String[] parts = wanted.split(":", 3);
        String application = parts[1];
        Writer out = Files.newBufferedWriter(
                Path.of(parts[2]), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        KinesisAsyncClient kinesis =
                KinesisClientUtil.createKinesisAsyncClient(local(KinesisAsyncClient.builder(), endpoint));
        ConfigsBuilder configs = new ConfigsBuilder(
                stream,
                application,
                kinesis,
                local(DynamoDbAsyncClient.builder(), dynamo).build(),
                local(CloudWatchAsyncClient.builder(), endpoint).build(),
                worker,
                () -> new Processor(out));
        InitialPositionInStreamExtended oldest =
                InitialPositionInStreamExtended.newInitialPosition(InitialPositionInStream.TRIM_HORIZON);
        var leases = configs.leaseManagementConfig()
                .initialPositionInStream(oldest)
                .failoverTimeMillis(FAILOVER_MILLIS)
                .shardSyncIntervalMillis(2000)
                .leasesRecoveryAuditorExecutionFrequencyMillis(2000);
        leases.workerUtilizationAwareAssignmentConfig().disableWorkerMetrics(true);
        return new EagerScheduler(
                configs,
                configs.coordinatorConfig()
                        .parentShardPollIntervalMillis(300)
                        .shardConsumerDispatchPollIntervalMillis(100)
                        .schedulerInitializationBackoffTimeMillis(500),
                leases,
                configs.retrievalConfig()
                        .initialPositionInStreamExtended(oldest)
                        .retrievalSpecificConfig(retrieval(parts[0], stream, application, kinesis)));
    }

    public static void main(String[] arguments) throws Exception {
        for (int place = 4; place < arguments.length; place++) {
            Scheduler scheduler =
                    scheduler(arguments[0], arguments[1], arguments[2], arguments[3], arguments[place]);
            Thread thread = new Thread(() -> {
                scheduler.run();
                System.exit(1);
            });
            thread.setDaemon(true);
            thread.start();
        }
        while (System.in.read() >= 0) {}
        System.exit(0);
    }
}
