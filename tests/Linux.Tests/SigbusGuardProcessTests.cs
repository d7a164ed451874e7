namespace NicHost.Linux.Tests;

/// <summary>What the guard must not save: in processes of their own.</summary>
public sealed class SigbusGuardProcessTests
{
    [Fact]
    public async Task Unguarded_memory_still_ends_the_process()
    {
        (int exitCode, string output) = await ChildProcess.RunAsync(nameof(SigbusGuardTests.FaultOutsideAllRanges));
        Assert.Contains("guard works", output, StringComparison.Ordinal);
        Assert.True(exitCode is 128 + 6 or 128 + 7, $"exit code {exitCode}: {output}");
        Assert.DoesNotContain("still alive", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(nameof(SigbusGuardTests.FaultWithDefaultActionBefore))]
    [InlineData(nameof(SigbusGuardTests.SignalWithDefaultActionBefore))]
    public async Task Default_action_before_us_ends_the_process_by_the_signal(string method)
    {
        (int exitCode, string output) = await ChildProcess.RunAsync(method);
        Assert.Contains("guard works", output, StringComparison.Ordinal);
        Assert.Equal(128 + 7, exitCode);
    }

    [Fact]
    public async Task Whole_range_is_replaced_when_map_entries_run_out()
    {
        (int exitCode, string output) = await ChildProcess.RunAsync(nameof(SigbusGuardTests.FaultWithoutMapEntries));
        if (exitCode == 2) return; // a machine with millions of entries
        Assert.Equal(0, exitCode);
        Assert.Contains("True 0 9 True", output, StringComparison.Ordinal);
    }
}
