using System.Diagnostics;
using System.Globalization;

namespace NicHost.Probe.Checks;

/// <summary>A check that did not pass, and why.</summary>
internal sealed class CheckFailedException(string reason) : Exception(reason);

/// <summary>Runs checks one after the other and prints a line for each.</summary>
internal sealed class CheckList(TextWriter output)
{
    /// <summary>Checks that passed.</summary>
    public int Passed { get; private set; }

    /// <summary>Checks run.</summary>
    public int Total { get; private set; }

    /// <summary>Runs one check; what it returns is its detail.</summary>
    public bool Run(string name, Func<string> check)
    {
        Total++;
        var start = Stopwatch.GetTimestamp();
        bool ok;
        string detail;
        try
        {
            detail = check();
            ok = true;
        }
        catch (Exception e) when (e is CheckFailedException or IOException or System.Net.Sockets.SocketException)
        {
            detail = e.Message;
            ok = false;
        }
        var ms = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        if (ok) Passed++;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{(ok ? "ok" : "FAIL"),-5} {name,-13} {detail,-70} {ms,8:0.0} ms"));
        output.Flush();
        return ok;
    }
}
