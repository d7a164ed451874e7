using NicHost.Host.Control;

namespace NicHost.Host.Commands;

/// <summary>A command that asks a running host and prints what it says.</summary>
internal static class OperatorQuery
{
    /// <summary>Prints the answer as it comes.</summary>
    /// <param name="control">The socket of the command line; null for the default.</param>
    /// <returns>The exit code.</returns>
    public static Task<int> PrintAsync(string? control, string request, CancellationToken cancel) => GuardAsync(async () =>
    {
        await using var output = Console.OpenStandardOutput();
        await ControlClient.AskAsync(control ?? ControlPath.ForClient, request, output, cancel);
        return ExitCode.Fine;
    });

    /// <summary>Passes descriptors along, and prints the answer.</summary>
    /// <param name="control">The socket of the command line; null for the default.</param>
    /// <returns>The exit code.</returns>
    public static Task<int> PassAsync(string? control, string request, IReadOnlyList<int> descriptors, CancellationToken cancel) => GuardAsync(async () =>
    {
        Console.Write(await ControlClient.AskAsync(control ?? ControlPath.ForClient, request, descriptors, cancel));
        return ExitCode.Fine;
    });

    /// <summary>Turns what the host refuses into a message and an exit code.</summary>
    public static async Task<int> GuardAsync(Func<Task<int>> ask)
    {
        try { return await ask(); }
        catch (ControlException e)
        {
            Console.Error.WriteLine(e.Message);
            return e.IsNoHost ? ExitCode.NoHost : ExitCode.Faults;
        }
    }
}
