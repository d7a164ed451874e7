using NicHost.Loops;
using Samples.Switch.Fabric;
using Samples.Switch.Tests.Rig;

namespace Samples.Switch.Tests.Fabric;

public sealed class InletTests
{
    /// <summary>The two sides' steps as the port makes them: the taker changes something and wakes, the sender notes itself and looks for the change.</summary>
    [Fact]
    public void Sender_that_begins_to_wait_just_as_things_change_is_told()
    {
        const int Rounds = 100_000;
        using var loop = new EventLoop("sender");
        var context = Nic.ContextOf(loop, "alone", 1, "");
        var sender = new Port(context, SwitchOptions.Model.Bind(context.Options));
        var inlet = new Inlet(sender);
        var changed = 0;
        var meeting = new Meeting();
        var taker = new Thread(() =>
        {
            for (var round = 0; round < Rounds; round++)
            {
                // Near in its cache, so that its look may come before its change is seen elsewhere.
                _ = inlet.HasWaiting;
                meeting.Arrive();
                Thread.SpinWait(round % 16);
                Volatile.Write(ref changed, 1);
                inlet.Wake();
                meeting.Arrive();
            }
        });
        taker.Start();
        var forgotten = 0;
        for (var round = 0; round < Rounds; round++)
        {
            Volatile.Write(ref changed, 0);
            meeting.Arrive();
            Thread.SpinWait(round / 16 % 16);
            inlet.Wait(sender);
            if (Volatile.Read(ref changed) != 0) inlet.Wake();
            meeting.Arrive();
            loop.RunOnce();
            if (!sender.IsWaiting) continue;
            forgotten++;
            inlet.Wake();
            loop.RunOnce();
        }
        taker.Join();
        Assert.Equal(0, forgotten);
    }

    /// <summary>Two threads that go on at the same moment, as near as can be.</summary>
    private sealed class Meeting
    {
        private int _arrived;

        public void Arrive()
        {
            var meeting = (Interlocked.Increment(ref _arrived) + 1) / 2;
            var wait = new SpinWait();
            while (Volatile.Read(ref _arrived) < meeting * 2) wait.SpinOnce(sleep1Threshold: -1);
        }
    }
}
