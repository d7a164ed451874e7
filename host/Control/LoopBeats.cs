using Microsoft.Extensions.Logging;
using NicHost.Contracts.Loops;
using NicHost.Host.Machines;
using NicHost.Loops;

namespace NicHost.Host.Control;

/// <summary>Asks each loop for a turn and tells, once each, which do not make it and which make it again.</summary>
/// <param name="loops">The loops.</param>
/// <param name="patience">How long a turn may take, for the log: when to look is the caller's affair.</param>
/// <param name="log">Where it is told.</param>
internal sealed partial class LoopBeats(LoopPool loops, TimeSpan patience, ILogger log)
{
    private readonly Beat[] _beats = [.. loops.Loops.Select(l => new Beat(l.Loop))];

    /// <summary>Asks all that are not asked yet.</summary>
    public void Start()
    {
        foreach (var beat in _beats) beat.Start();
    }

    /// <summary>Whether all have turned since.</summary>
    public bool Look() => _beats.Count(HasTurned) == _beats.Length;

    private bool HasTurned(Beat beat)
    {
        var (turned, told) = (beat.HasTurned, beat.IsHanging);
        beat.IsHanging = !turned;
        if (turned && told) LogTurns(log, beat.Loop.Name);
        else if (!turned && !told) LogHangs(log, beat.Loop.Name, patience.TotalSeconds);
        return turned;
    }

    [LoggerMessage(101, LogLevel.Error, "{Loop} has not turned for {Seconds} s: something on it does not return, and its NICs stand still.")]
    private static partial void LogHangs(ILogger log, string loop, double seconds);

    [LoggerMessage(102, LogLevel.Warning, "{Loop} turns again.")]
    private static partial void LogTurns(ILogger log, string loop);

    private sealed class Beat(EventLoop loop)
    {
        private Task _turn = Task.CompletedTask;

        public EventLoop Loop { get; } = loop;

        public bool HasTurned => _turn.IsCompleted;

        public bool IsHanging { get; set; }

        // One that hangs has the last one's work still waiting.
        public void Start()
        {
            if (_turn.IsCompleted) _turn = Loop.InvokeAsync(() => { });
        }
    }
}
