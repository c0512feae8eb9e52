// A scheduler that lists the shards at once. The KCL's own waits up to 30 seconds, drawn at random, before it fills an
// empty lease table, so that the workers of a large fleet do not all list at the same time.

package software.amazon.kinesis.coordinator;

import software.amazon.kinesis.common.ConfigsBuilder;
import software.amazon.kinesis.leases.LeaseManagementConfig;
import software.amazon.kinesis.retrieval.RetrievalConfig;

public class EagerScheduler extends Scheduler {
    public EagerScheduler(
            ConfigsBuilder configs,
            CoordinatorConfig coordinator,
            LeaseManagementConfig leases,
            RetrievalConfig retrieval) {
        super(
                configs.checkpointConfig(),
                coordinator,
                leases,
                configs.lifecycleConfig(),
                configs.metricsConfig(),
                configs.processorConfig(),
                retrieval);
    }

    @Override
    boolean shouldInitiateLeaseSync() {
        return true;
    }
}
