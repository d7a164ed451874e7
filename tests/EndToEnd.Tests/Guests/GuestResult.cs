namespace NicHost.EndToEnd.Tests.Guests;

/// <summary>What a script in the guest printed (errors included) and how it ended; 137 is its time limit.</summary>
internal sealed record GuestResult(string Script, int Status, string Output)
{
    public GuestResult Succeeded() =>
        Status == 0 ? this : throw new GuestException($"in the guest, status {Status}:\n  {Script.ReplaceLineEndings("\n  ")}\nprinted:\n{Output}");
}

internal sealed class GuestException(string message) : Exception(message);
