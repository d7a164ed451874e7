namespace NicHost.Contracts.Options;

/// <summary>One thing that is wrong in a plugin's options.</summary>
/// <param name="Path">Where, as a JSON path inside the options object: <c>$.forwards[1]</c>.</param>
/// <param name="Message">What is wrong, naming the value.</param>
/// <param name="Remedy">What to write instead.</param>
public sealed record OptionFault(string Path, string Message, string Remedy);

/// <summary>Options that cannot be used.</summary>
public sealed class OptionsException(IReadOnlyList<OptionFault> faults)
    : Exception(string.Join("; ", faults.Select(f => $"{f.Path}: {f.Message} {f.Remedy}")))
{
    /// <summary>Everything that is wrong.</summary>
    public IReadOnlyList<OptionFault> Faults { get; } = faults;
}
