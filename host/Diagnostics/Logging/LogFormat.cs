namespace NicHost.Host.Diagnostics.Logging;

/// <summary>How a log entry becomes lines.</summary>
internal enum LogFormat
{
    /// <summary>For people: time, level, category, event id, message.</summary>
    Text,

    /// <summary>For programs: one JSON object a line, with the structured values.</summary>
    Json,

    /// <summary>For the journal, which adds the time itself: a priority, then as text.</summary>
    Journal,
}
